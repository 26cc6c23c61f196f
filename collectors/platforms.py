"""Platform files: what to ask a family of devices, and what the answers mean.

A platform is data, one YAML file in ``collectors/platforms``; this is the only
reader. A file says which devices it fits (``match``), which single objects are
worth knowing (``facts``) and which tables to walk. A column names the field it
fills; where several columns name the same field, the first that has a value
for a row counts, and later ones are asked only if rows are left without one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

import msgspec
import yaml

from collectors.platform_checks import check, check_together, problem
from collectors.platform_model import Match, Platform, Trap
from netmon.errors import ConfigError, Problem
from netmon.strict_files import as_struct

FALLBACK = "if_mib"


class Platforms:
    """All platform files, checked; ``extends`` is already followed."""

    def __init__(self, platforms: Sequence[Platform]) -> None:
        by_name = {platform.name: platform for platform in platforms}
        self._whole = {name: _extended(name, by_name) for name in by_name}
        self._fallback = next(
            (item.name for item in platforms if item.fallback), FALLBACK
        )
        self._line_fallback = next(
            (item.name for item in platforms if item.line_fallback), self._fallback
        )

    @property
    def names(self) -> list[str]:
        """The names of all platforms."""
        return sorted(self._whole)

    @property
    def traps(self) -> dict[str, Trap]:
        """The traps of all platforms by object id; an id means the same in each."""
        return {t.oid: t for item in self._whole.values() for t in item.traps}

    def get(self, name: str) -> Platform:
        """Return a platform by name; KeyError where there is none."""
        return self._whole[name]

    def choose(
        self, sys_object_id: str, sys_descr: str, *, line: bool = False
    ) -> Platform:
        """Return the platform that fits a device best: the longest prefix wins.

        A device that fits nothing gets the fallback; ``line`` says that it
        carries a line.
        """
        fallback = self._line_fallback if line else self._fallback
        best, length = self._whole[fallback], (-1, False)
        for platform in self._whole.values():
            fits = _fit(platform.match, sys_object_id, sys_descr)
            if fits is not None and fits > length:
                best, length = platform, fits
        return best


def _fit(match: Match, sys_object_id: str, sys_descr: str) -> tuple[int, bool] | None:
    """Return the length of the prefix that fits, None where it does not.

    Of equal prefixes the one that is sure of the description as well wins.
    """
    if not match.sys_object_id and not match.sys_descr:
        return None
    if match.sys_descr and not re.search(match.sys_descr, sys_descr):
        return None
    if not match.sys_object_id:
        return 0, True
    wanted = f"{sys_object_id}."
    fitting = [p for p in match.sys_object_id if wanted.startswith(f"{p}.")]
    if not fitting:
        return None
    return max(map(len, fitting)), bool(match.sys_descr)


def _extended(name: str, by_name: Mapping[str, Platform]) -> Platform:
    own = by_name[name]
    bases = [_extended(base, by_name) for base in own.extends]
    said = {fact.name for fact in own.facts}
    return msgspec.structs.replace(
        own,
        tables=own.tables + tuple(table for base in bases for table in base.tables),
        facts=own.facts
        + tuple(f for base in bases for f in base.facts if f.name not in said),
        traps=own.traps + tuple(trap for base in bases for trap in base.traps),
    )


@cache
def load_platforms() -> Platforms:
    """Return the platforms that come with netmon.

    Raises:
        ConfigError: a file is wrong; each problem names file and field.
    """
    folder = files("collectors").joinpath("platforms")
    found = {
        item.name: item.read_text(encoding="utf-8")
        for item in folder.iterdir()
        if item.name.endswith(".yaml")
    }
    return parse_platforms(found)


def parse_platforms(texts: Mapping[str, str]) -> Platforms:
    """Return the platforms in YAML texts, keyed by file name.

    Raises:
        ConfigError: with every problem of every file.
    """
    problems: list[Problem] = []
    platforms: dict[str, Platform] = {}
    for source, text in sorted(texts.items()):
        try:
            platform = _convert(source, text)
        except ConfigError as error:
            problems.extend(error.problems)
            continue
        problems.extend(check(source, platform))
        if source != f"{platform.name}.yaml":
            problems.append(
                problem(source, "name", "differs from the file's name", "rename one")
            )
        platforms[source] = platform
    problems.extend(check_together(platforms))
    if problems:
        raise ConfigError(problems)
    return Platforms(list(platforms.values()))


class _StrictLoader(yaml.SafeLoader):
    """YAML takes the last of two equal keys in silence; this one does not."""

    def construct_mapping(
        self, node: yaml.MappingNode, deep: bool = False
    ) -> dict[Any, Any]:
        """Refuse a key that stands twice."""
        seen: set[object] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                mark = key_node.start_mark
                raise yaml.MarkedYAMLError(problem=f"{key} twice", problem_mark=mark)
            seen.add(key)
        return super().construct_mapping(node, deep)


def _convert(source: str, text: str) -> Platform:
    try:
        raw = yaml.load(text, Loader=_StrictLoader)  # noqa: S506 - a SafeLoader
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        wrong = Problem(source, line, None, str(error.problem), "mend the YAML")
        raise ConfigError([wrong]) from error
    see = "collectors/platform_model.py"
    return as_struct(raw, Platform, source=source, see=see)
