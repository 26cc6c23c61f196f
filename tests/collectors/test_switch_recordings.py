"""IF-MIB on recorded switches of four vendors, whatever their platform is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from collectors.decode import Row
from collectors.platforms import load_platforms
from collectors.poll import decode
from collectors.read import read_device
from collectors.snmp import open_recording
from netmon.clock import SystemClock

PHYSICAL = {"ethernetCsmacd", "fastEther", "gigabitEthernet"}
SWITCHES = {
    "procurve_2520": 28,
    "arubaos-cx_10.07": 53,
    "edgeswitch_es-24-250w": 26,
    "iosxe_c9300": 63,
}


async def ports(recordings: Path, name: str) -> list[Row]:
    session = open_recording(recordings / f"{name}.snmprec", clock=SystemClock())
    reading = await read_device(
        session, load_platforms(), clock=SystemClock(), budget_s=30.0
    )
    result = decode(reading)
    assert result.failure is None
    assert result.platform == ("procurve" if name == "procurve_2520" else "if_mib")
    (table,) = [table for table in result.tables if table.result == "port"]
    return list(table.rows)


@pytest.mark.parametrize("name", SWITCHES)
async def test_ports_have_the_expected_names_states_and_speeds(
    recordings: Path, name: str
) -> None:
    text = (recordings / f"{name}.expected.json").read_text(encoding="utf-8")
    wanted = {
        str(port["ifIndex"]): (
            port["ifOperStatus"] == "up",
            port["ifAdminStatus"] == "up",
            # LibreNMS keeps a 0 of a port that states none; for us it is unknown.
            port["ifSpeed"] or None,
        )
        for port in json.loads(text)["ports"]
        if port["ifType"] in PHYSICAL
    }
    found = {
        row.parts["port"]: (
            row.numbers["oper_up"] == 1,
            row.numbers["admin_up"] == 1,
            row.numbers["speed_bps"],
        )
        for row in await ports(recordings, name)
    }
    assert len(wanted) == SWITCHES[name]
    assert {key: found.get(key) for key in wanted} == wanted
