"""A probe runs with what `pip install .` brings, and that brings no web framework."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, packages_distributions, requires

import pytest

# Imports everything a probe may run, with the packages of others hidden.
_WALK = """
import importlib, pkgutil, sys

hidden = set(sys.argv[1].split(","))

class Hide:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in hidden:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Hide())
import probes
for found in pkgutil.walk_packages(probes.__path__, "probes."):
    if not found.name.startswith("probes.onsite"):
        importlib.import_module(found.name)
from netmon.cli import probe_doctor, probe_output, probe_uplink, uplink_output
print(*{name.partition(".")[0] for name in sys.modules})
"""


def brought() -> set[str]:
    """Return the packages that netmon without extras brings, and what they need."""
    found: set[str] = set()
    todo = ["netmon"]
    while todo:
        try:
            wanted = requires(todo.pop()) or []
        except PackageNotFoundError:
            continue  # not for this platform
        names = {
            re.split(r"[^\w.-]", one)[0].lower().replace("_", "-")
            for one in wanted
            if "extra ==" not in one
        }
        todo += names - found
        found |= names
    return found


@pytest.fixture(scope="module")
def hidden() -> set[str]:
    """Return the top-level modules that a probe's installation lacks."""
    own = brought() | {"netmon"}
    return {
        module
        for module, packages in packages_distributions().items()
        if module not in sys.stdlib_module_names  # a package may bring its like
        and not {one.lower().replace("_", "-") for one in packages} & own
    }


def test_a_probe_needs_nothing_but_what_its_installation_brings(hidden):
    # Otherwise the probe of the documented installation does not even start.
    ran = subprocess.run(
        [sys.executable, "-c", _WALK, ",".join(hidden)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert ran.returncode == 0, ran.stderr
    assert "gufo" in ran.stdout.split()


def test_a_probe_brings_no_web_framework(hidden):
    assert {"fastapi", "starlette", "uvicorn", "jinja2", "pysnmp"} <= hidden
