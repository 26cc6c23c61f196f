"""SSH platforms: which commands a family of devices is asked, and what they mean.

One YAML file each in ``collectors/ssh_platforms``, with the TextFSM templates that
ntc-templates lacks beside it. The commands of a file are the only ones that can be
sent to a device of its family.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Literal

import msgspec
import yaml
from msgspec import Struct

from collectors.platform_checks import FACT_NAMES, problem
from collectors.results import RESULT_FIELDS, RESULT_PARTS
from netmon.errors import ConfigError, Problem

# A device of the inventory chooses SSH by a platform that begins with this.
PREFIX = "ssh:"
# Commands that only show: nothing behind them but words.
_READS = re.compile(
    r"show [a-z0-9 .-]+|/(?:[a-z0-9-]+ )+print(?: (?:detail|brief|terse))?"
)


class SshColumn(Struct, frozen=True, forbid_unknown_fields=True):
    """One value of a row: ``column`` of the template into ``field``.

    ``pattern`` cuts it out by its one group. A number is ``scale`` times what is
    left, or what ``words`` says it stands for (small letters; null: not known).
    ``duration`` reads "2 weeks, 1 day" or "1d:4h" as seconds. Of several columns for
    one field the first with a value counts.
    """

    field: str
    column: str
    pattern: str = ""
    words: dict[str, float | None] = {}
    scale: float = 1.0
    duration: bool = False


class SshTable(Struct, frozen=True, forbid_unknown_fields=True):
    """A table that one command shows.

    ``key`` is the column that tells rows apart; where it is ``-`` in a row there is
    none. ``template`` is a file of our own, empty for that of ntc-templates. Rows must
    match ``keep`` (column: pattern). ``counted`` finds in the text how many rows there
    are, ``adds_to`` names a table before it whose rows get what this one knows.
    """

    name: str
    result: Literal["port", "access_point"]
    command: str
    key: str
    columns: tuple[SshColumn, ...]
    template: str = ""
    keep: dict[str, str] = {}
    counted: str = ""
    adds_to: str = ""


class SshFact(Struct, frozen=True, forbid_unknown_fields=True):
    """One word about the device, or its ``uptime``."""

    name: str
    command: str
    column: str


class SshPlatform(Struct, frozen=True, forbid_unknown_fields=True):
    """A family of devices: netmiko's driver, ntc-templates' name for it, its tables.

    ``prepares`` are lines the driver sends of itself (paging, leaving); ``logs_in``
    says that the device asks for user and password once more after SSH did.
    """

    name: str
    driver: str
    templates: str
    tables: tuple[SshTable, ...]
    facts: tuple[SshFact, ...] = ()
    prepares: tuple[str, ...] = ()
    logs_in: bool = False

    @property
    def commands(self) -> tuple[str, ...]:
        """All commands, each once."""
        of_facts = [fact.command for fact in self.facts]
        of_tables = [table.command for table in self.tables]
        return tuple(dict.fromkeys(of_facts + of_tables))

    def template_of(self, command: str) -> str:
        """Return the file name of a command's own template, empty if it has none."""
        names = {table.template for table in self.tables if table.command == command}
        return next((name for name in names if name), "")


def folder() -> Path:
    """Return where the files are."""
    return Path(str(files("collectors").joinpath("ssh_platforms")))


@cache
def load_ssh_platforms() -> Mapping[str, SshPlatform]:
    """Return all SSH platforms by name.

    Raises:
        ConfigError: a file is wrong; each problem names file and field.
    """
    texts = {path.name: path.read_text("utf-8") for path in folder().glob("*.yaml")}
    return parse_ssh_platforms(texts)


def parse_ssh_platforms(texts: Mapping[str, str]) -> dict[str, SshPlatform]:
    """Return the SSH platforms by name; ``texts`` are their YAML by file name.

    Raises:
        ConfigError: with every problem of every file.
    """
    found: dict[str, SshPlatform] = {}
    problems: list[Problem] = []
    for source, text in sorted(texts.items()):
        try:
            platform = msgspec.convert(yaml.safe_load(text), SshPlatform)
        except (yaml.YAMLError, msgspec.ValidationError) as error:
            problems.append(problem(source, None, str(error), "see ssh_model.py"))
            continue
        problems.extend(_check(source, platform))
        found[platform.name] = platform
    if problems:
        raise ConfigError(problems)
    return found


def _check(source: str, platform: SshPlatform) -> Iterator[Problem]:
    if source != f"{platform.name}.yaml":
        yield problem(source, "name", "differs from the file's name", "rename one")
    for command in platform.commands:
        if not _READS.fullmatch(command):
            text = f"{command!r} is no command that only shows"
            yield problem(source, "command", text, "use show or print")
    for fact in platform.facts:
        if fact.name not in {*FACT_NAMES, "uptime"}:
            yield problem(source, "facts", f"{fact.name!r} is unknown", "use another")
    yield from _check_tables(source, platform)


def _check_tables(source: str, platform: SshPlatform) -> Iterator[Problem]:
    earlier: set[str] = set()
    for table in platform.tables:
        where = f"tables.{table.name}"
        if table.adds_to and table.adds_to not in earlier:
            yield problem(
                source, f"{where}.adds_to", "is no table before it", "name one"
            )
        for column in table.columns:
            if column.field not in RESULT_FIELDS[table.result]:
                text = f"{column.field!r} is no field of {table.result}"
                yield problem(source, where, text, "use another")
        if len(RESULT_PARTS[table.result]) != 1:
            yield problem(source, where, "needs more than one key", "leave it out")
        if table.template and not (folder() / table.template).is_file():
            yield problem(source, where, "has no such template", "add the file")
        earlier.add(table.name)
