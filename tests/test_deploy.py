"""The two ways to install the centre: containers and systemd units."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from netmon.cli import build_parser
from netmon.config import load_settings
from netmon.texts import Texts

# systemd's own measure, from 0 (closed) to 100 (open).
MAX_EXPOSURE = 20


@pytest.fixture
def deploy(repo_dir: Path) -> Path:
    return repo_dir / "deploy"


@pytest.fixture
def compose(deploy: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((deploy / "compose.yaml").read_text("utf-8"))
    return found


def _units(deploy: Path) -> list[Path]:
    return sorted((deploy / "systemd").glob("*.service"))


def _variables(text: str) -> dict[str, str | None]:
    """Return the variables of a compose file with their defaults."""
    found = re.findall(r"\$\{(\w+)(?::-([^}]*))?\}", text)
    return {name: default or None for name, default in found}


def _program(name: str, package: str) -> str:
    program = shutil.which(name)
    if program is None:
        reason = f"no {name} on the PATH (Debian package {package})"
        if os.environ.get("CI") == "true":
            pytest.fail(f"missing in CI: {reason}")
        pytest.skip(reason)
    return program


def _understood(arguments: list[str]) -> None:
    """Fail if netmon would refuse to be called so."""
    build_parser(Texts("de")).parse_args(arguments)


# --- containers --------------------------------------------------------------


def test_every_image_is_pinned(compose: dict[str, Any], deploy: Path) -> None:
    for name, service in compose["services"].items():
        assert re.search(r":v?\d+\.\d+\.\d+$", service["image"]), name
    dockerfile = (deploy / "Dockerfile").read_text("utf-8")
    assert set(re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE)) == {
        "python:3.11.13-slim-bookworm"
    }
    assert dockerfile.count("uv sync --frozen") == 2


def test_every_part_of_netmon_runs_and_is_called_rightly(
    compose: dict[str, Any],
) -> None:
    services = compose["services"]
    own = {n: s for n, s in services.items() if s["image"].startswith("netmon:")}
    assert own.keys() == {"gateway", "alerts", "relay", "collector"}
    for name, service in own.items():
        _understood(service["command"])
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert "state:/var/lib/netmon" in service["volumes"], name
    for name, service in services.items():
        assert service["restart"] == "unless-stopped", name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["logging"]["options"]["max-size"], name


def test_what_is_mounted_is_there_or_named_in_the_examples(
    compose: dict[str, Any], deploy: Path
) -> None:
    # Written by whoever installs; the examples say how.
    made = {"./netmon.toml", "./alertmanager.yml"}
    for name, service in compose["services"].items():
        own = "netmon" if service["image"].startswith("netmon:") else name
        for mount in service.get("volumes", ()):
            source, target, *_ = mount.replace(":-", "=").split(":")
            if not source.startswith("."):
                assert source in compose["volumes"]
                continue
            assert target.startswith("/")
            source = re.sub(r"\$\{NETMON_QUERIES=(\w+)\}", r"\1", source)
            is_there = source in made or (deploy / source).is_dir()
            assert is_there or source == f"./secrets/{own}", source
    ignored = (deploy / ".gitignore").read_text("utf-8").split()
    assert {"/netmon.toml", "/alertmanager.yml", "/secrets/", "/.env"} == set(ignored)
    assert (deploy / "netmon.example.toml").is_file()
    assert yaml.safe_load((deploy / "alertmanager.example.yml").read_text("utf-8"))


def test_grafana_finds_what_it_is_given(
    compose: dict[str, Any], repo_dir: Path
) -> None:
    grafana = compose["services"]["grafana"]
    targets = {mount.split(":")[-2] for mount in grafana["volumes"][1:]}
    for language in ("promql", "influxql"):
        provisioning = repo_dir / "grafana" / "provisioning" / language
        named = (provisioning / "dashboards" / "netmon.yaml").read_text("utf-8")
        (provider,) = yaml.safe_load(named)["providers"]
        assert provider["options"]["path"] in targets
        source = (provisioning / "datasources" / "netmon.yaml").read_text("utf-8")
        assert "url: ${NETMON_TSDB_URL}" in source
    assert "/etc/grafana/provisioning" in targets
    home = grafana["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert (repo_dir / "grafana" / "promql" / Path(home).name).is_file()


def test_every_variable_has_its_line_and_nothing_listens_to_all_by_default(
    compose: dict[str, Any], deploy: Path
) -> None:
    used = _variables((deploy / "compose.yaml").read_text("utf-8"))
    example = dict(
        line.split("=", 1)
        for line in (deploy / "env.example").read_text("utf-8").splitlines()
        if "=" in line and not line.startswith("#")
    )
    assert example.keys() == used.keys() | {"COMPOSE_PROFILES"}
    assert all(used.values())
    profiles = {p for s in compose["services"].values() for p in s.get("profiles", ())}
    assert profiles == {"victoriametrics", "influxdb", "alertmanager"}
    assert example["COMPOSE_PROFILES"] in profiles
    for service in compose["services"].values():
        for port in service.get("ports", ()):
            (default,) = _variables(port).values()
            assert default is not None
            assert default.startswith("127.0.0.1:")


def test_the_example_settings_are_valid(deploy: Path) -> None:
    settings = load_settings(deploy / "netmon.example.toml")
    assert settings.tsdb.url == "http://victoriametrics:8428"
    assert settings.data_dir == "/var/lib/netmon"


def test_compose_itself_takes_the_file(deploy: Path, tmp_path: Path) -> None:
    program = shutil.which("docker-compose")
    if program is None:
        pytest.skip("no docker-compose on the PATH")
    for name in ("victoriametrics", "influxdb,alertmanager"):
        environment = {**os.environ, "COMPOSE_PROFILES": name}
        done = subprocess.run(
            [program, "-f", str(deploy / "compose.yaml"), "config", "-q"],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr


def test_the_alertmanager_takes_its_example(deploy: Path) -> None:
    program = _program("amtool", "prometheus-alertmanager")
    done = subprocess.run(
        [program, "check-config", str(deploy / "alertmanager.example.yml")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


# --- units -------------------------------------------------------------------


def test_units_call_netmon_rightly_and_belong_together(deploy: Path) -> None:
    names = set()
    for unit in _units(deploy):
        text = unit.read_text("utf-8")
        (call,) = re.findall(r"^ExecStart=(.+)$", text, re.MULTILINE)
        program, *arguments = shlex.split(call)
        assert program == "/opt/netmon/bin/netmon"
        _understood(arguments)
        # A probe stands in a school, alone.
        is_probe = unit.name == "netmon-probe.service"
        assert ("PartOf=netmon.target" in text) is not is_probe
        if not is_probe:
            names.add(unit.name)
    target = (deploy / "systemd" / "netmon.target").read_text("utf-8")
    wanted = set(re.search(r"^Wants=(.+)$", target, re.MULTILINE).group(1).split())  # type: ignore[union-attr]
    # The measurement server often stands elsewhere.
    assert names - wanted == {"netmon-measure-server.service"}
    assert wanted < names


def test_systemd_takes_every_unit_and_calls_it_closed(
    deploy: Path, tmp_path: Path
) -> None:
    program = _program("systemd-analyze", "systemd")
    netmon = shutil.which("true")
    for unit in [*_units(deploy), deploy / "systemd" / "netmon.target"]:
        text = unit.read_text("utf-8").replace("/opt/netmon/bin/netmon", str(netmon))
        (tmp_path / unit.name).write_text(text, encoding="utf-8")
    units = [str(path) for path in sorted(tmp_path.iterdir())]
    for arguments in (
        ["verify", "--man=no", *units],
        [
            "security",
            "--offline=yes",
            f"--threshold={MAX_EXPOSURE}",
            *(name for name in units if name.endswith(".service")),
        ],
    ):
        done = subprocess.run(
            [program, *arguments], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
