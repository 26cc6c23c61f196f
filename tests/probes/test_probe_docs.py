"""The operator's page shows settings that load, with their real defaults."""

from __future__ import annotations

import re

import msgspec

from probes.config import load_probe_settings


def test_example_loads_and_the_table_tells_the_defaults(repo_dir, tmp_path):
    page = (repo_dir / "docs/betrieb/sonde.md").read_text(encoding="utf-8")
    found = re.search(r"```toml\n(.*?)```", page, re.DOTALL)
    assert found is not None
    (tmp_path / "probe.toml").write_text(found.group(1), encoding="utf-8")
    settings = msgspec.to_builtins(load_probe_settings(tmp_path / "probe.toml"))
    rows = re.findall(r"^\| (`.*?) \| (.*?) \|", page, re.MULTILINE)
    told = [
        (name, default)
        for names, defaults in rows
        for name, default in zip(names.split(", "), defaults.split(", "), strict=True)
    ]
    assert len(told) >= 10
    for name, default in told:
        value: object = settings
        for part in name.strip("`").split("."):
            assert isinstance(value, dict)
            value = value[part]
        expected = default.strip("`")
        if isinstance(value, str):
            assert value == ("" if expected == "leer" else expected), name
        else:
            assert value == float(expected), name
