"""The demo checks itself: all measured, one line and one access point broken,
mailed, healed and mailed again; then it ends with everything it started."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest


def _processes_of(folder: Path) -> list[str]:
    """Return command lines of running processes that name the folder."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except (OSError, UnicodeDecodeError):
            continue
        if entry.name.isdigit() and str(folder) in line:
            found.append(line)
    return found


def _printed(output: Path, deadline_s: float) -> tuple[str, dict[str, str]]:
    """Return the address of the site, and what to log in with."""
    told = r"Statusseite\s+(http://\S+)\s+Anmelden\s+(\S+) / (\S+)"
    while time.monotonic() < deadline_s:
        found = re.search(told, output.read_text("utf-8"))
        if found:
            return found[1], {"name": found[2], "password": found[3]}
        time.sleep(0.2)  # another process's words: nothing to await
    pytest.fail(f"the demo was not ready: {output.read_text('utf-8')}")


@pytest.mark.slow
@pytest.mark.xdist_group("line")
@pytest.mark.timeout(420)
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_demo_breaks_heals_and_checks_itself(tmp_path):
    data, output = tmp_path / "demo", tmp_path / "output"
    environment = {**os.environ, "XDG_STATE_HOME": str(tmp_path), "NETMON_LANG": "de"}
    command = [sys.executable, "-m", "netmon", "demo", "--minutes", "5", "--port", "0"]
    with output.open("wb") as log:
        demo = subprocess.Popen(
            [*command, "--data", str(data)], stdout=log, stderr=log, env=environment
        )
    try:
        site, account = _printed(output, time.monotonic() + 60)
        with httpx.Client(base_url=site, timeout=30) as visitor:
            assert visitor.get("/").headers["location"] == "/anmelden"
            visitor.post("/anmelden", data=account)
            page = visitor.get("/")
            senders = visitor.get("/api/v1/sources").json()["sources"]
        assert page.status_code == 200
        assert page.text.count("(Demo)") > 178
        names = {line["name"] for line in senders}
        assert len([name for name in names if name.endswith("-p1")]) >= 12
        status = demo.wait(timeout=360)
    finally:
        demo.kill()
        demo.wait()
    assert status == 0, output.read_text("utf-8")
    assert _processes_of(data) == [], "the demo left something running"
    assert not (tmp_path / "netmon" / "demo.json").exists()
