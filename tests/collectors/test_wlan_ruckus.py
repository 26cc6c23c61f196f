"""WLAN of Ruckus, as the text of their MIBs has it.

Values are made up; types, units, codes and indexes are the MIBs'.
"""

from __future__ import annotations

from collectors.records import Known, to_records
from netmon.model import AccessPoint
from tests.collectors.wlan_rows import CONTROLLER, MAC, OTHER, Ask, text, told

# As the agents put it that give the length of an address.
LONG, LONG_OTHER = f"6.{MAC}", f"6.{OTHER}"

SZ = "1.3.6.1.4.1.25053.1.4"
SZ_AP, SZ_RADIO = f"{SZ}.2.1.1.2.2.1", "1.3.6.1.4.1.25053.1.8.1.1.1.2.3.1"
SCG = "1.3.6.1.4.1.25053.1.3"
ZD = "1.3.6.1.4.1.25053.1.2"
UNLEASHED = "1.3.6.1.4.1.25053.1.15.1.1.1"
RUCKUS_AP = "1.3.6.1.4.1.25053.1.1"


async def test_smartzone_radios_by_the_access_points_that_are_known(ask: Ask) -> None:
    result = await ask(
        f"""
        {SZ}.1.1.1.15.1.0|66|3
        {SZ}.1.1.1.15.2.0|66|20
        {SZ}.1.1.1.15.13.0|4|302000000009
        1.3.6.1.4.1.25053.1.8.1.1.1.1.1.1.19.2.65.66|66|2
        {SZ_AP}.5.{LONG}|4|AP-R301
        {SZ_AP}.16.{LONG}|4|Connect
        {SZ_AP}.5.{LONG_OTHER}|4|AP-R302
        {SZ_AP}.16.{LONG_OTHER}|4|Disconnect
        {SZ_RADIO}.9.{LONG}.0|2|2040
        {SZ_RADIO}.9.{LONG}.1|2|80
        {SZ_RADIO}.9.{LONG}.2|2|160
        {SZ_RADIO}.10.{LONG}.0|2|6
        {SZ_RADIO}.10.{LONG}.1|2|149
        {SZ_RADIO}.10.{LONG}.2|2|37
        {SZ_RADIO}.11.{LONG}.0|4|max
        {SZ_RADIO}.11.{LONG}.1|4|18dBm
        {SZ_RADIO}.11.{LONG}.2|4|-3dB
        {SZ_RADIO}.40.{LONG}.0|2|-96
        {SZ_RADIO}.40.{LONG}.1|2|0
        {SZ_RADIO}.41.{LONG}.0|2|11
        {SZ_RADIO}.41.{LONG}.1|2|9
        {SZ_RADIO}.41.{LONG}.2|2|0
        """,
        object_id="1.3.6.1.4.1.25053.3.1.11.1",
    )
    assert result.words["serial"] == "302000000009"
    assert told(result, "radio") == {
        f"{LONG}/0": {
            "channel": 6.0,
            "band_hz": 2.4e9,
            "noise_dbm": -96.0,
            "clients_count": 11.0,
        },
        # What the MIB says of the second counts: 149 is a channel of 6 GHz too.
        f"{LONG}/1": {
            "channel": 149.0,
            "band_hz": 5e9,
            "width_hz": 80e6,
            "tx_power_dbm": 18.0,
            "clients_count": 9.0,
        },
        f"{LONG}/2": {
            "channel": 37.0,
            "band_hz": 6e9,
            "width_hz": 160e6,
            "clients_count": 0.0,
        },
    }
    records, _ = to_records(CONTROLLER, [], result, Known())
    (own,) = [record for record in records if record.kind == "wlan_controller"]
    assert own.values == {
        "aps_count": 2.0,
        "aps_total_count": 3.0,
        "clients_count": 20.0,
        "listed_aps_count": 1.0,
        "listed_clients_count": 20.0,
    }


async def test_smartcell_gateway_has_the_same_elsewhere(ask: Ask) -> None:
    ap = f"{SCG}.2.1.1.2.2.1"
    result = await ask(
        f"""
        {SCG}.1.1.1.15.1.0|66|2
        {SCG}.1.1.1.15.2.0|66|5
        {SCG}.1.1.1.15.13.0|4|302000000008
        {SCG}.2.1.1.1.2.1.1.1|4|Schule
        {SCG}.2.1.1.1.2.1.12.1|66|5
        {ap}.5.{LONG}|4|AP-R303
        {ap}.6.{LONG}|67|360000
        {ap}.7.{LONG}|4|3.6.2
        {ap}.8.{LONG}|4|R510
        {ap}.9.{LONG}|4|302000000003
        {ap}.15.{LONG}|66|5
        {ap}.16.{LONG}|4|Connect
        """,
        object_id="1.3.6.1.4.1.25053.3.1.10",
    )
    assert result.words["serial"] == "302000000008"
    assert told(result, "controller") == {
        "0": {"aps_total_count": 2.0, "clients_count": 5.0}
    }
    assert told(result, "network") == {"1": {"name": "Schule", "clients_count": 5.0}}
    assert told(result, "access_point") == {
        LONG: {
            "name": "AP-R303",
            "up": 1.0,
            "uptime_s": 3600.0,
            "firmware": "3.6.2",
            "model": "R510",
            "serial": "302000000003",
            "clients_count": 5.0,
        }
    }


async def test_zonedirector_counts_lists_and_names_itself(ask: Ask) -> None:
    ap, radio = f"{ZD}.2.1.1.2.1.1", f"{ZD}.2.1.1.2.2.1"
    result = await ask(
        f"""
        {ZD}.1.1.1.1.9.0|4|zd1200
        {ZD}.1.1.1.1.15.0|4|302000000007
        {ZD}.1.1.1.1.18.0|4|10.2.1.0
        {ZD}.1.1.1.15.1.0|66|1
        {ZD}.1.1.1.15.2.0|66|12
        {ZD}.1.1.1.15.15.0|66|2
        {ZD}.2.1.1.1.1.1.1.1|4|Schule
        {ZD}.2.1.1.1.1.1.12.1|66|12
        {ap}.2.{LONG}|4|AP-R304
        {ap}.3.{LONG}|2|1
        {ap}.6.{LONG}|67|360000
        {ap}.2.{LONG_OTHER}|4|AP-R305
        {ap}.3.{LONG_OTHER}|2|3
        {radio}.3.{LONG}.0|2|2
        {radio}.3.{LONG}.1|2|4
        {radio}.4.{LONG}.0|66|11
        {radio}.4.{LONG}.1|66|0
        {radio}.8.{LONG}.0|66|12
        {radio}.21.{LONG}.0|66|750
        {radio}.40.{LONG}.0|66|31
        """,
        object_id="1.3.6.1.4.1.25053.3.1.5.15",
    )
    assert (
        result.words["model"],
        result.words["serial"],
        result.words["firmware"],
    ) == (
        "zd1200",
        "302000000007",
        "10.2.1.0",
    )
    assert told(result, "controller") == {
        "0": {"aps_count": 1.0, "aps_total_count": 2.0, "clients_count": 12.0}
    }
    assert told(result, "network") == {"1": {"name": "Schule", "clients_count": 12.0}}
    points = told(result, "access_point")
    assert points[LONG] == {"name": "AP-R304", "up": 1.0, "uptime_s": 3600.0}
    # It upgrades its firmware: nobody can use it.
    assert points[LONG_OTHER]["up"] == 0.0
    assert told(result, "radio") == {
        f"{LONG}/0": {
            "channel": 11.0,
            "band_hz": 2.4e9,
            "clients_count": 12.0,
            "retries_ratio": 0.075,
            "utilisation_ratio": 0.31,
        },
        f"{LONG}/1": {"band_hz": 5e9},
    }


async def test_unleashed_counts_only(ask: Ask) -> None:
    result = await ask(
        f"""
        1.3.6.1.2.1.1.1.0|{text("Ruckus Wireless T300")}
        {UNLEASHED}.1.9.0|4|t300
        {UNLEASHED}.1.15.0|4|302000000006
        {UNLEASHED}.1.18.0|4|200.7.10
        {UNLEASHED}.15.1.0|66|3
        {UNLEASHED}.15.2.0|66|7
        {UNLEASHED}.15.15.0|66|4
        """,
        object_id="1.3.6.1.4.1.25053.3.1.5.20",
    )
    assert result.platform == "ruckus"
    assert result.words["model"] == "t300"
    assert told(result, "controller") == {
        "0": {"aps_count": 3.0, "aps_total_count": 4.0, "clients_count": 7.0}
    }
    # Nobody takes the access points it does not list for down.
    planned = AccessPoint(
        id="b1-r1", building_id="b1", name="AP-R1", controller_id="wlc"
    )
    records, _ = to_records(CONTROLLER, [planned], result, Known())
    (point,) = [record for record in records if record.kind == "wlan_ap"]
    assert point.failure == "partial"


async def test_a_ruckus_access_point_alone(ask: Ask) -> None:
    radio, stats = f"{RUCKUS_AP}.12.1.1.1.2.1", f"{RUCKUS_AP}.12.1.1.1.3.1"
    result = await ask(
        f"""
        1.3.6.1.2.1.1.1.0|{text("Ruckus Wireless Inc (C) 2006")}
        1.3.6.1.2.1.1.5.0|4|ap-aula
        {RUCKUS_AP}.2.1.1.1.1.0|4|R500
        {RUCKUS_AP}.2.1.1.1.2.0|4|302000000005
        {RUCKUS_AP}.3.1.1.1.1.1.3.1|4|110.0.0.0.675
        {radio}.1.1|2|3
        {radio}.1.2|2|6
        {radio}.4.1|66|11
        {radio}.4.2|66|149
        {radio}.8.1|2|-99
        {radio}.8.2|2|-111
        {stats}.2.1|66|4
        {stats}.2.2|66|13
        {stats}.15.1|66|21
        {stats}.50.2|4|3.7
        """,
        object_id="1.3.6.1.4.1.25053.3.1.4.71",
    )
    assert result.platform == "ruckus_ap"
    assert told(result, "access_point") == {
        "0": {
            "name": "ap-aula",
            "up": 1.0,
            "uptime_s": 42.0,
            "model": "R500",
            "serial": "302000000005",
            "firmware": "110.0.0.0.675",
        }
    }
    assert told(result, "radio") == {
        "0/1": {
            "channel": 11.0,
            "band_hz": 2.4e9,
            "noise_dbm": -99.0,
            "utilisation_ratio": 0.21,
            "clients_count": 4.0,
        },
        "0/2": {
            "channel": 149.0,
            "band_hz": 5e9,
            "noise_dbm": -111.0,
            "utilisation_ratio": 0.037,
            "clients_count": 13.0,
        },
    }
