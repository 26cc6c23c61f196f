"""DSL, light and radio on recorded devices, held to what LibreNMS read of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from collectors.decode import Row
from collectors.platforms import load_platforms
from collectors.poll import decode
from collectors.read import read_device
from collectors.records import DeviceResult, Known, to_records
from collectors.snmp import open_recording
from netmon.clock import SystemClock
from netmon.metrics import KINDS
from netmon.model import Device, DeviceKind

PLATFORMS = {
    "draytek_vdsl": "draytek",
    "airos-af": "ubiquiti_radio",
    "airos_airos8": "ubiquiti_radio",
    "siklu": "siklu",
    "ceraos": "ceragon",
    "xos_sfp": "extreme_xos",
    "procurve_2520": "procurve",
}


async def poll(recordings: Path, name: str) -> DeviceResult:
    session = open_recording(recordings / f"{name}.snmprec", clock=SystemClock())
    reading = await read_device(
        session, load_platforms(), clock=SystemClock(), budget_s=60.0
    )
    result = decode(reading)
    assert result.failure is None
    assert result.platform == PLATFORMS[name]
    return result


def rows(result: DeviceResult, kind: str) -> list[Row]:
    tables = [table for table in result.tables if table.result == kind]
    assert tables
    assert all(table.complete for table in tables)
    return [row for table in tables for row in table.rows]


def expected(recordings: Path, name: str) -> dict[str, Any]:
    text = (recordings / f"{name}.expected.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


def wireless(recordings: Path, name: str) -> Mapping[str, float]:
    """Return LibreNMS's wireless sensors: value by object id."""
    return {
        sensor["oids"][0].removeprefix("."): sensor["value"]
        for sensor in expected(recordings, name)["wireless"]
    }


async def test_a_vdsl_modem_that_tells_half_of_it_in_the_older_mib(
    recordings: Path,
) -> None:
    (row,) = rows(await poll(recordings, "draytek_vdsl"), "dsl")
    wanted = expected(recordings, "draytek_vdsl")["xdsl"]
    (adsl,), (vdsl,) = wanted["ports_adsl"], wanted["ports_vdsl"]
    assert row.parts == {"port": str(vdsl["ifIndex"])}
    said = {name: value for name, value in row.numbers.items() if value is not None}
    assert said == {
        "up": 1.0,
        # The exchange's side (XTU-C, ATU-C) sends towards the building.
        "rate_down_bps": vdsl["xdsl2ChStatusActDataRateXtuc"],
        "rate_up_bps": vdsl["xdsl2ChStatusActDataRateXtur"],
        "attainable_down_bps": adsl["adslAtucCurrAttainableRate"],
        "attainable_up_bps": adsl["adslAturCurrAttainableRate"],
        # What the modem's side (ATU-R) receives comes from there. LibreNMS divides by
        # ten, as the MIB says; but a line of 110 Mbit/s does not hold at a margin of
        # 0.5 dB, and the power sent would be 0.9 dBm: DrayTek counts whole dB.
        "snr_margin_down_db": 10 * float(adsl["adslAturCurrSnrMgn"]),
        "snr_margin_up_db": 10 * float(adsl["adslAtucCurrSnrMgn"]),
        "attenuation_down_db": 10 * float(adsl["adslAturCurrAtn"]),
        "attenuation_up_db": 10 * float(adsl["adslAtucCurrAtn"]),
    }


async def test_airfiber(recordings: Path) -> None:
    (row,) = rows(await poll(recordings, "airos-af"), "radio_link")
    wanted = wireless(recordings, "airos-af")
    status = "1.3.6.1.4.1.41112.1.3.2.1"
    said = {name: value for name, value in row.numbers.items() if value is not None}
    assert said == {
        "capacity_down_bps": wanted[f"{status}.5.1"],
        "capacity_up_bps": wanted[f"{status}.6.1"],
        "rx_level_dbm": wanted[f"{status}.11.1"],
        "rx_level_2_dbm": wanted[f"{status}.14.1"],
        "tx_power_dbm": wanted["1.3.6.1.4.1.41112.1.3.1.1.9.1"],
        # LibreNMS leaves it out; 10 bits a symbol, one step above the MIB's list.
        "modulation_qam": 1024.0,
    }


async def test_airmax(recordings: Path) -> None:
    (row,) = rows(await poll(recordings, "airos_airos8"), "radio_link")
    wanted = wireless(recordings, "airos_airos8")
    stat = "1.3.6.1.4.1.41112.1.4.5.1"
    said = {name: value for name, value in row.numbers.items() if value is not None}
    # "Overall RSSI" (26) is a figure of the chip's above its noise floor, no dBm, and
    # airMAX capacity (0) is a percentage: neither is taken.
    assert said == {
        "rx_level_dbm": wanted[f"{stat}.5.1"],
        "noise_dbm": wanted[f"{stat}.8.1"],
        "rate_up_bps": wanted[f"{stat}.9.1"],
        "rate_down_bps": wanted[f"{stat}.10.1"],
        "tx_power_dbm": wanted["1.3.6.1.4.1.41112.1.4.1.1.6.1"],
        "airtime_ratio": pytest.approx(wanted["1.3.6.1.4.1.41112.1.4.6.1.7.1"] / 100),
    }


async def test_siklu(recordings: Path) -> None:
    (row,) = rows(await poll(recordings, "siklu"), "radio_link")
    wanted = wireless(recordings, "siklu")
    rf = "1.3.6.1.4.1.31926.2.1.1"
    said = {name: value for name, value in row.numbers.items() if value is not None}
    assert said == {
        "rx_level_dbm": wanted[f"{rf}.19.1"],
        "snr_db": wanted[f"{rf}.18.1"],
        "tx_power_dbm": wanted[f"{rf}.42.1"],
    }


# Metric, beginning of the object id; LibreNMS has all of them by ifIndex.
CERAGON = {
    "rx_level_dbm": "1.3.6.1.4.1.2281.10.5.1.1.2",
    "rx_level_2_dbm": "1.3.6.1.4.1.2281.10.5.1.1.10",
    "tx_power_dbm": "1.3.6.1.4.1.2281.10.5.1.1.3",
    "mse_db": "1.3.6.1.4.1.2281.10.7.1.1.2",
    "errored_blocks_total": "1.3.6.1.4.1.2281.10.7.1.1.3",
    "capacity_up_bps": "1.3.6.1.4.1.2281.10.7.4.1.1.7",
    "capacity_down_bps": "1.3.6.1.4.1.2281.10.7.4.1.1.11",
}


@pytest.mark.parametrize("metric", CERAGON)
async def test_ceragon(recordings: Path, metric: str) -> None:
    found = rows(await poll(recordings, "ceraos"), "radio_link")
    assert len(found) == 8
    wanted = {
        oid.removeprefix(f"{CERAGON[metric]}."): value
        for oid, value in wireless(recordings, "ceraos").items()
        if oid.startswith(f"{CERAGON[metric]}.")
    }
    if metric == "mse_db":
        # -99.00 dB stands for "nothing received" (its level is -99 dBm too);
        # LibreNMS shows it as the best of all radios.
        assert wanted.pop("268451906") == -99
    said = {
        row.parts["radio"]: row.numbers[metric]
        for row in found
        if row.numbers[metric] is not None
    }
    assert said == wanted
    names = {row.parts["radio"]: row.words["name"] for row in found}
    assert names["268452033"] == "Radio: Slot 3, Port 1"


async def test_extreme_xos_means_other_units_than_it_says(recordings: Path) -> None:
    found = rows(await poll(recordings, "xos_sfp"), "optics")
    ports = {row.parts["port"]: row.numbers for row in found}
    # LibreNMS takes these sensors for electrical power and has no optics here at all.
    assert expected(recordings, "xos_sfp")["optical_dbm"] == []
    # 10646, said to be micro watts: 10 mW would be ten times a class 1 laser.
    assert ports["1001"] == {"tx_dbm": 0.27, "rx_dbm": -1.0}
    # 3792 and 2277: a 10GBASE-SR module, both ways.
    assert ports["1005"] == {"tx_dbm": -4.21, "rx_dbm": -6.43}
    # 0 may be 0 dBm or no light.
    assert ports["1002"] == {"tx_dbm": 0.26}
    assert ports["1011"]["rx_dbm"] == -40.0
    # What a module of 10 Gbit/s can send and receive, and no light.
    for numbers in ports.values():
        assert -8 <= (numbers.get("tx_dbm") or 0.0) <= 1
        assert -40 <= (numbers.get("rx_dbm") or -40.0) <= 0.5
    # Modules that are "unavailable" tell nothing.
    assert not {"1030", "1032", "1034"} & ports.keys()


async def test_procurve_has_the_limits_of_its_modules(recordings: Path) -> None:
    (row,) = rows(await poll(recordings, "procurve_2520"), "optics")
    (wanted,) = expected(recordings, "procurve_2520")["optical_dbm"]
    assert row.parts["port"] == wanted["oid"].rpartition(".")[2]
    assert row.numbers["tx_dbm"] == wanted["value"]
    # -99999999 is no power at all (HP-ICF-TRANSCEIVER-MIB); LibreNMS leaves it out.
    assert row.numbers["rx_dbm"] == -40.0
    limits = {
        name: row.numbers[f"{name}_dbm"]
        for name in ("rx_low_alarm", "rx_low_warn", "tx_low_alarm", "tx_high_warn")
    }
    assert limits == {
        "rx_low_alarm": -23.98,
        "rx_low_warn": -23.01,
        "tx_low_alarm": -10.0,
        "tx_high_warn": -3.0,
    }


@pytest.mark.parametrize("name", PLATFORMS)
async def test_records_bear_the_line_and_fit_the_catalogue(
    recordings: Path, name: str
) -> None:
    device = Device(
        id="rt1",
        building_id="b1",
        kind=DeviceKind.ROUTER,
        name="rt1",
        address="127.0.0.1:161",
        line_id="b1-main",
    )
    records, known = to_records(device, [], await poll(recordings, name), Known())
    records = [record for record in records if record.kind.startswith("line_")]
    assert len(known.lines) == len(records) > 0
    for record in records:
        kind = KINDS[record.kind]
        assert record.tags["line"] == "b1-main"
        assert {*kind.tags} <= {*record.tags} <= {*kind.tags, *kind.optional_tags}
        for metric in kind.metrics:
            value = record.values[metric.name]
            assert value is None or metric.low <= value <= metric.high
        assert any(value is not None for value in record.values.values())
