"""The contract of imports forgets no module: what it does not list it does not hold."""

from __future__ import annotations

import pkgutil
import tomllib

import netmon


def test_every_module_of_netmon_has_its_layer(repo_dir):
    text = (repo_dir / "pyproject.toml").read_text(encoding="utf-8")
    contracts = tomllib.loads(text)["tool"]["importlinter"]["contracts"]
    (layers,) = (each["layers"] for each in contracts if each["type"] == "layers")
    listed = [name.strip() for layer in layers for name in layer.split("|")]
    modules = {
        f"netmon.{found.name}" for found in pkgutil.iter_modules(netmon.__path__)
    }
    neighbours = {"probes", "collectors", "dashboards", "alerts"}
    assert len(listed) == len(set(listed))
    assert set(listed) == modules - {"netmon.__main__"} | neighbours
