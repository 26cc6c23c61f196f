"""The demo's folder: settings, tokens and logs, and the pointer to a running demo."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from netmon.config import Secret
from netmon.demo.agents import DEMO_CREDENTIAL
from netmon.demo.plan import Plan
from netmon.ingest import new_token

# A real deployment measures every hour and polls every five minutes; here a
# person is watching.
THROUGHPUT_INTERVAL_S = 10.0
POLL_INTERVAL_S = 8.0
CONFIRM_COUNT = 2


def pointer_path() -> Path:
    """Return where a running demo says how to reach it; only its user may read it."""
    base = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(base) / "netmon" / "demo.json"


def _toml(tables: dict[str, dict[str, Any]]) -> str:
    """Return TOML of plain tables; JSON writes the same scalars and lists."""
    parts = []
    for name, table in tables.items():
        parts.append(f"[{name}]" if name else "")
        parts += [
            f"{k} = {json.dumps(v, ensure_ascii=False)}" for k, v in table.items()
        ]
    return "\n".join(parts) + "\n"


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
        path.touch(mode=0o600)
        path.write_text(text, encoding="utf-8")
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
        mail_port: int,
        mail_password: Secret,
        ca_file: Path,
        collector_token: Path,
    ) -> None:
        """Write the settings of gateway, alerts, relay and collector."""
        password = self._write("mail.password", mail_password.reveal() + "\n")
        community = DEMO_CREDENTIAL.community
        credentials = self._write(
            "snmp.toml",
            _toml(
                {
                    DEMO_CREDENTIAL.name: {
                        "version": DEMO_CREDENTIAL.version,
                        "community": community.reveal() if community else "",
                    }
                }
            ),
        )
        tables: dict[str, dict[str, Any]] = {
            "": {"data_dir": str(self.root)},
            "gateway": {"public_url": site_url},
            "tsdb": {"url": tsdb_url},
            "mail": {
                "host": "localhost",
                "port": mail_port,
                "security": "starttls",
                "user": "netmon",
                "password_file": str(password),
                "ca_file": str(ca_file),
                "sender": "netmon@dortmund.example",
                "recipients": ["servicemanagement@dortmund.example"],
            },
            "alerts": {
                "interval_s": 1.0,
                "line_confirm_count": CONFIRM_COUNT,
                "line_clear_count": CONFIRM_COUNT,
                "ap_confirm_count": CONFIRM_COUNT,
                "ap_clear_count": 1,
                "no_data_after_s": 120.0,
            },
            "collector": {
                "source": collector_token.stem,
                "interval_s": POLL_INTERVAL_S,
                "credentials_file": str(credentials),
                "gateway_url": site_url,
                "token_file": str(collector_token),
            },
        }
        self._write(self.settings.name, _toml(tables))

    def write_probe(
        self,
        plan: Plan,
        building_id: str,
        site_url: str,
        lines: tuple[int, int],
        measure_token: Secret,
    ) -> str:
        """Write a probe's settings; return their path.

        ``lines`` are the ports of the measurement server and the name server.
        """
        probe = next(p for p in plan.city.probes if p.building_id == building_id)
        server_token = self._write("measure.token", measure_token.reveal() + "\n")
        measure_port, dns_port = lines
        tables: dict[str, dict[str, Any]] = {
            "": {
                "probe": probe.id,
                "building": building_id,
                "line": probe.line_id,
                "spool": f"{probe.id}.spool.sqlite3",
            },
            "gateway": {"url": site_url, "token_file": self.token(probe.id).name},
            "server": {
                "address": f"127.0.0.1:{measure_port}",
                "token_file": server_token.name,
            },
            "throughput": {
                "interval_s": THROUGHPUT_INTERVAL_S,
                "warmup_s": 0.3,
                "window_s": 1.0,
            },
            "latency": {"interval_s": 5.0, "count": 10, "spacing_s": 0.02},
            "dns": {"interval_s": 20.0, "server": "127.0.0.1", "port": dns_port},
            "link": {"interval_s": 60.0},
            # The demo asks nobody outside: its own status site stands for the internet.
            "path": {
                "interval_s": 20.0,
                "count": 3,
                "spacing_s": 0.05,
                "anchors": [urlsplit(site_url).netloc],
            },
            "health": {"interval_s": 15.0},
        }
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
