"""The demo's folder: settings, tokens and logs, and the pointer to a running demo."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from netmon.config import Secret
from netmon.demo.agents import DEMO_CREDENTIAL
from netmon.demo.plan import Plan, line_shapes
from netmon.demo.worlds import HOST, MEASURE_SERVER, LinesAnswer
from netmon.ingest import new_token
from probes.certifier import STATE_FILE
from probes.loopback import Ceiling, save_ceiling

# A real deployment owes a statement every hour and polls every five minutes; here a
# person is watching.
POLL_INTERVAL_S = 10.0
# The collector sees the line's device before so many tests are through.
LINE_CONFIRM_COUNT = 3
_AP_CONFIRM_COUNT = 2
# A person is waiting for the all-clear.
_CLEAR_COUNT = 1
# Lessons all day, each slot of which owes a statement about the line.
SLOT_S = 15.0
MAX_TESTS = 2
# Slots of seconds need far more bytes a day than those of an hour.
_BUDGET_SHARE = 0.1
_CALENDAR = """state_holidays = false

[[lessons]]
days = ["mo", "tu", "we", "th", "fr", "sa", "su"]
start = 00:00:00
end = 23:59:59
"""
# The network behind the played measurement server: no lease is cut short by it.
_SERVER_CAPACITY = "10 Gbit/s"


def pointer_path() -> Path:
    """Return where a running demo says how to reach it; only its user may read it."""
    base = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(base) / "netmon" / "demo.json"


_Table = dict[str, Any]


@dataclass(frozen=True, slots=True)
class MailPeer:
    """The demo's mail server, and what it takes to send through it."""

    port: int
    password: Secret
    ca_file: Path


def _toml(tables: dict[str, _Table | list[_Table]]) -> str:
    """Return TOML of plain tables, or lists of them, by dotted name.

    JSON writes the same scalars and lists.
    """
    parts = []
    for name, found in tables.items():
        for table in found if isinstance(found, list) else [found]:
            if name:
                parts.append(f"[[{name}]]" if isinstance(found, list) else f"[{name}]")
            parts += [
                f"{k} = {json.dumps(v, ensure_ascii=False)}" for k, v in table.items()
            ]
    return "\n".join(parts) + "\n"


def community() -> str:
    """Return the SNMP community of all played devices."""
    found = DEMO_CREDENTIAL.community
    return found.reveal() if found else ""


def trap_address() -> str:
    """Return where the collector of this process's demo takes traps.

    An address of loopback that no other demo on this machine has; devices are told
    of it before the collector listens.
    """
    number = os.getpid()
    return f"127.{64 + (number >> 16)}.{number >> 8 & 255}.{number & 255}:10162"


class DemoFiles:
    """Writes the same files an administrator would, readable by us only."""

    def __init__(self, root: Path) -> None:
        root.mkdir(parents=True, exist_ok=True)
        root.chmod(0o700)
        self.root = root.absolute()
        self.logs = self.root / "logs"
        self.state = self.root / "state.sqlite3"
        self.settings = self.root / "settings.toml"

    def _write(self, name: str, text: str) -> Path:
        path = self.root / name
        # At once: a probe that starts may be reading what is written for the next one.
        fresh = path.with_name(f"{name}.new")
        fresh.touch(mode=0o600)
        fresh.write_text(text, encoding="utf-8")
        fresh.replace(path)
        return path

    def token(self, name: str) -> Path:
        """Return the path of a sender's token."""
        return self.root / f"{name}.token"

    def new_token(self, name: str) -> str:
        """Make a token, write it to its file and return it."""
        token = new_token()
        self._write(self.token(name).name, token + "\n")
        return token

    def write_settings(
        self,
        *,
        tsdb_url: str,
        site_url: str,
        mail: MailPeer,
        collector_token: Path,
        measure_port: int,
        measure_key: Secret,
    ) -> None:
        """Write the settings of gateway, alerts, relay and collector.

        Slots are given out for the measurement server on ``measure_port``.
        """
        password = self._write("mail.password", mail.password.reveal() + "\n")
        credentials = self._write(
            "snmp.toml",
            _toml(
                {
                    DEMO_CREDENTIAL.name: {
                        "version": DEMO_CREDENTIAL.version,
                        "community": community(),
                    }
                }
            ),
        )
        key = self._write("measure.key", measure_key.reveal() + "\n")
        calendar = self._write("calendar.toml", _CALENDAR)
        tables: dict[str, _Table | list[_Table]] = {
            "": {"data_dir": str(self.root)},
            "gateway": {"public_url": site_url},
            "tsdb": {"url": tsdb_url},
            "mail": {
                "host": "localhost",
                "port": mail.port,
                "security": "starttls",
                "user": "netmon",
                "password_file": str(password),
                "ca_file": str(mail.ca_file),
                "sender": "netmon@dortmund.example",
                "recipients": ["servicemanagement@dortmund.example"],
            },
            # Shown at any hour, and each fault by a mail of its own.
            "alerts.notify": {
                "outside_lessons": "mail",
                "batch_s": 1.0,
                "follow_s": 1.0,
                "storm_mails": 100,
            },
            "alerts": {
                "interval_s": 1.0,
                "line_confirm_count": LINE_CONFIRM_COUNT,
                "line_clear_count": _CLEAR_COUNT,
                "ap_confirm_count": _AP_CONFIRM_COUNT,
                "ap_clear_count": _CLEAR_COUNT,
                "no_data_after_s": 120.0,
            },
            "collector": {
                "source": collector_token.stem,
                "interval_s": POLL_INTERVAL_S,
                "credentials_file": str(credentials),
                "gateway_url": site_url,
                "token_file": str(collector_token),
                "traps_listen": trap_address(),
            },
            "measure": {
                "key_file": str(key),
                "calendar_file": str(calendar),
                "budget_share": _BUDGET_SHARE,
                "full_tests_per_day": 1,
                "slot_s": SLOT_S,
            },
            "measure.servers": [
                {
                    "id": MEASURE_SERVER,
                    "address": f"{HOST}:{measure_port}",
                    "capacity": _SERVER_CAPACITY,
                    "max_tests": MAX_TESTS,
                }
            ],
        }
        self._write(self.settings.name, _toml(tables))

    def write_probe(
        self,
        plan: Plan,
        building_id: str,
        site_url: str,
        world: LinesAnswer,
        measure_token: Secret,
        ceiling: Ceiling,
    ) -> str:
        """Write a probe's settings; return their path. ``world`` plays its line."""
        probe = next(p for p in plan.city.probes if p.building_id == building_id)
        # What it remembers lies beside its spool.
        folder = self.root / probe.id
        folder.mkdir(exist_ok=True)
        save_ceiling(folder / STATE_FILE, ceiling)
        server_token = self._write("measure.token", measure_token.reveal() + "\n")
        community_file = self._write("wan.community", community() + "\n")
        shapes = line_shapes(plan)
        number = next(n for n, shape in enumerate(shapes) if shape.id == probe.line_id)
        tables: dict[str, _Table | list[_Table]] = {
            "": {
                "probe": probe.id,
                "building": building_id,
                "line": probe.line_id,
                "spool": f"{probe.id}/spool.sqlite3",
            },
            "gateway": {"url": site_url, "token_file": self.token(probe.id).name},
            "server": {
                "address": f"{HOST}:{world.own[probe.line_id]}",
                "token_file": server_token.name,
            },
            "throughput": {"interval_s": 0},
            # The demo asks nobody outside: its own status site stands for the internet.
            "path": {
                "interval_s": 20.0,
                "count": 3,
                "spacing_s": 0.05,
                "anchors": [urlsplit(site_url).netloc],
            },
            "latency": {"interval_s": 4.0, "count": 10, "spacing_s": 0.02},
            "dns": {"interval_s": 20.0, "server": HOST, "port": world.dns},
            "link": {"interval_s": 60.0},
            "health": {"interval_s": 15.0},
            "uplink": {
                "interface": "lo",
                "passive_interval_s": 1.5,
                "assignment_interval_s": 5.0,
                "confirm_spacing_s": 3.0,
                "patience_s": 20.0,
                "proof_valid_s": 15.0,
                "tick_s": 0.5,
            },
        }
        if shapes[number].refresh_s is not None:
            wan_port = {
                "line": probe.line_id,
                "address": f"{HOST}:{world.wan}",
                "if_index": number + 1,
                "community_file": community_file.name,
            }
            tables["wan"] = [wan_port]
        return str(self._write(f"{probe.id}.toml", _toml(tables)))

    def write_pointer(self, url: str, key: str) -> Callable[[], None]:
        """Say where this demo listens; return what takes it back."""
        path = pointer_path()
        path.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps({"url": url, "key": key})
        path.touch(mode=0o600)
        path.write_text(text, encoding="utf-8")

        def remove() -> None:
            # Another demo may have started meanwhile; its pointer stays.
            if path.exists() and path.read_text(encoding="utf-8") == text:
                path.unlink()

        return remove
