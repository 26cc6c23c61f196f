"""Radio links and optics of which there is no recording: made by hand from their MIBs.

They show that the platform reads what the MIB says (types, units, codes, "no value"),
not that a device keeps to it.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from collectors.platforms import load_platforms
from collectors.poll import decode
from collectors.read import read_device
from collectors.records import Known, to_records
from collectors.snmp import open_recording
from netmon.clock import SystemClock
from netmon.spool_record import SpoolRecord
from tests.city import a_router

DATA = Path(__file__).parent / "data"
ROUTER = a_router()
Said = dict[str, dict[str, float]]


async def records(name: str, platform: str) -> list[SpoolRecord]:
    session = open_recording(DATA / f"{name}.snmprec", clock=SystemClock())
    reading = await read_device(
        session, load_platforms(), clock=SystemClock(), budget_s=60.0, line=True
    )
    result = decode(reading)
    assert result.platform == platform
    assert all(table.complete for table in result.tables)
    assert not [remark for table in result.tables for remark in table.remarks]
    made, _ = to_records(ROUTER, [], result, Known())
    return [record for record in made if record.kind.startswith("line_")]


def said(made: list[SpoolRecord], tag: str) -> Said:
    return {
        record.tags[tag]: {n: v for n, v in record.values.items() if v is not None}
        for record in made
    }


PTP = {
    "rx_level_dbm": -58.3,
    "tx_power_dbm": 23.0,
    "mse_db": -29.1,
    "modulation_qam": 64.0,
    "modulation_far_qam": 256.0,
}
INTEGRA = {
    "up": 1.0,
    "rx_level_dbm": -41.0,
    "tx_power_dbm": 17.0,
    "mse_db": -36.8,
    "modulation_qam": 4.0,
    "modulation_far_qam": 256.0,
    "capacity_down_bps": 366_432_000.0,
    "capacity_up_bps": 87_101_000.0,
    "errored_blocks_total": 17.0,
}


@pytest.mark.parametrize(
    ("name", "platform", "wanted"),
    [
        ("cambium_ptp_650", "cambium_ptp", {"0": PTP}),
        ("cambium_ptp_670", "cambium_ptp", {"0": {**PTP, "up": 1.0}}),
        (
            "cambium_epmp",
            "cambium_epmp",
            {"0": {"up": 1, "rx_level_dbm": -57, "snr_db": 34, "tx_power_dbm": 18}},
        ),
        (
            "mimosa_b5",
            "mimosa",
            {
                "0": {
                    "up": 1.0,
                    "tx_power_dbm": 21.0,
                    "rx_level_dbm": -54.8,
                    "rx_level_2_dbm": -56.1,
                    "noise_dbm": -88.0,
                    "snr_db": 33.2,
                    "mse_db": -28.1,
                }
            },
        ),
        (
            "mikrotik_60g",
            "mikrotik",
            {
                "wlan60-1": {
                    "up": 1,
                    "rx_level_dbm": -56,
                    "rate_up_bps": 2.31e9,
                    "modulation_qam": 4,
                }
            },
        ),
        ("saf_integra_b", "saf_integra", {"0": INTEGRA}),
        ("saf_integra_e", "saf_integra", {"0": INTEGRA}),
    ],
)
async def test_radio_links(name: str, platform: str, wanted: Said) -> None:
    made = await records(name, platform)
    links = [record for record in made if record.kind == "line_radio"]
    assert said(links, "radio") == wanted


async def test_an_integra_x_has_two_radios() -> None:
    links = said(await records("saf_integra_x", "saf_integra"), "radio")
    assert {name: values["rx_level_dbm"] for name, values in links.items()} == {
        "1": -44.0,
        "2": -47.0,
    }
    assert {name: values["modulation_qam"] for name, values in links.items()} == {
        "1": 1024.0,
        "2": 512.0,
    }


async def test_a_mikrotik_module_that_measures_and_one_that_does_not() -> None:
    made = await records("mikrotik_60g", "mikrotik")
    optics = [record for record in made if record.kind == "line_optics"]
    assert said(optics, "port") == {
        "sfp-sfpplus1": {"rx_dbm": -5.102, "tx_dbm": -2.41},
        # Nothing but zeros: a record with a reason and no number.
        "sfp1": {},
    }
    (silent,) = [record for record in optics if record.failure is not None]
    assert silent.failure == "unsupported"


async def test_juniper_lanes_are_as_good_as_the_weakest() -> None:
    optics = said(await records("juniper_dom", "juniper"), "port")
    assert {
        name: (values.get("rx_dbm"), values.get("tx_dbm"))
        for name, values in optics.items()
    } == {
        "xe-0/0/0": (-6.12, -2.31),
        "et-0/0/48": (-4.98, -1.2),
        "xe-0/0/1": (-40.0, None),
    }
    limits = {n: v for n, v in optics["xe-0/0/0"].items() if n.count("_") == 3}
    assert limits == {
        "rx_high_alarm_dbm": 0.5,
        "rx_low_alarm_dbm": -16.01,
        "rx_high_warn_dbm": -0.5,
        "rx_low_warn_dbm": -14.0,
        "tx_high_alarm_dbm": 1.5,
        "tx_low_alarm_dbm": -9.3,
        "tx_high_warn_dbm": 1.0,
        "tx_low_warn_dbm": -7.3,
    }


async def test_huawei_modules_sit_at_ports_and_tell_two_units() -> None:
    optics = said(await records("huawei_optics", "huawei_vrp"), "port")
    assert {
        name: (values.get("rx_dbm"), values.get("tx_dbm"))
        for name, values in optics.items()
    } == {
        "XGigabitEthernet0/0/1": (-7.42, -2.51),
        # 710 is micro watts, so 320 beside it is as well, and not 3.2 dBm.
        "XGigabitEthernet0/0/3": (-1.49, -4.95),
        "XGigabitEthernet0/0/4": (None, -40.0),
    }
    assert optics["XGigabitEthernet0/0/1"]["rx_low_alarm_dbm"] == -23.0
    assert "tx_high_warn_dbm" not in optics["XGigabitEthernet0/0/1"]
