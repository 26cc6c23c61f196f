"""What imports may cross is held by contracts, and what an installation needs it has."""

from __future__ import annotations

import pkgutil
import sys
import tomllib
from collections.abc import Iterable, Iterator
from importlib.metadata import packages_distributions, requires

import grimp
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import netmon

ROOTS = ("netmon", "probes", "collectors", "dashboards", "alerts")


def test_every_module_of_netmon_has_its_layer(repo_dir):
    """What the contract does not list it does not hold."""
    text = (repo_dir / "pyproject.toml").read_text(encoding="utf-8")
    contracts = tomllib.loads(text)["tool"]["importlinter"]["contracts"]
    (layers,) = (each["layers"] for each in contracts if each["type"] == "layers")
    listed = [name.strip() for layer in layers for name in layer.split("|")]
    modules = {
        f"netmon.{found.name}" for found in pkgutil.iter_modules(netmon.__path__)
    }
    assert len(listed) == len(set(listed))
    assert set(listed) == modules - {"netmon.__main__"} | {*ROOTS[1:]}


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph(*ROOTS, include_external_packages=True, cache_dir=None)


def imported_by(graph: grimp.ImportGraph, rooms: Iterable[str]) -> set[str]:
    """Return what others made that modules of ours import, directly or not."""
    seen = set(rooms).union(*(graph.find_upstream_modules(room) for room in rooms))
    tops = {module.partition(".")[0] for module in seen}
    return tops - {*ROOTS} - sys.stdlib_module_names


def installed_with(name: str, extra: str) -> Iterator[str]:
    """Give the names of all distributions that come with one and an extra of it."""
    open_, seen = [(name, extra)], set()
    while open_:
        one = open_.pop()
        if one in seen:
            continue
        seen.add(one)
        yield canonicalize_name(one[0])
        for line in requires(one[0]) or ():
            wanted = Requirement(line)
            if wanted.marker is None or wanted.marker.evaluate({"extra": one[1]}):
                open_ += [(wanted.name, more) for more in ("", *wanted.extras)]


@pytest.mark.parametrize(
    ("room", "extra"),
    [
        ("probes", ""),
        ("probes.onsite", "onsite"),
        ("collectors", "collector"),
        ("alerts", "gateway"),
        ("dashboards", "gateway"),
    ],
)
def test_an_installation_has_all_that_its_part_imports(graph, room, extra):
    rooms = [
        module
        for module in graph.modules
        if f"{module}.".startswith(f"{room}.")
        and (room == "probes.onsite" or not module.startswith("probes.onsite"))
    ]
    names = set(installed_with("netmon", extra))
    of = packages_distributions()
    found = imported_by(graph, rooms)
    assert {"msgspec"} < found
    for module in found:
        assert {canonicalize_name(each) for each in of[module]} & names, module
