"""WLAN of Ruckus, Huawei, LANCOM and Zyxel as the text of their MIBs has it.

Values are made up; types, units, codes and indexes are the MIBs'.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from collectors.platforms import load_platforms
from collectors.records import DeviceResult, Known, to_records
from netmon.model import AccessPoint, Device, DeviceKind

Ask = Callable[..., Awaitable[DeviceResult]]
Told = dict[str, float | str]
CONTROLLER = Device(
    id="wlc", building_id="b1", kind=DeviceKind.CONTROLLER, name="wlc", address="x"
)
MAC, OTHER = "2.0.0.0.0.1", "2.0.0.0.0.2"
# As the agents put it that give the length of an address.
LONG, LONG_OTHER = f"6.{MAC}", f"6.{OTHER}"

SZ = "1.3.6.1.4.1.25053.1.4"
SZ_AP, SZ_RADIO = f"{SZ}.2.1.1.2.2.1", "1.3.6.1.4.1.25053.1.8.1.1.1.2.3.1"
SCG = "1.3.6.1.4.1.25053.1.3"
ZD = "1.3.6.1.4.1.25053.1.2"
UNLEASHED = "1.3.6.1.4.1.25053.1.15.1.1.1"
RUCKUS_AP = "1.3.6.1.4.1.25053.1.1"
HUAWEI = "1.3.6.1.4.1.2011.6.139"
HUAWEI_AP, HUAWEI_RADIO = f"{HUAWEI}.13.3.3.1", f"{HUAWEI}.16.1.2.1"
LCOS, LX = "1.3.6.1.4.1.2356.11.1", "1.3.6.1.4.1.2356.13.1"
WLC, WLAN_1, WLAN_2 = f"{LCOS}.73", "6.87.76.65.78.45.49", "6.87.76.65.78.45.50"
ZYXEL = "1.3.6.1.4.1.890.1.15.3"


def text(words: str) -> str:
    """Return a value with spaces as a recording has it."""
    return f"4x|{words.encode().hex()}"


def told(result: DeviceResult, kind: str) -> dict[str, Told]:
    """Return what is known of each row, by the parts that name it."""
    return {
        "/".join(row.parts.values()): {
            name: value
            for name, value in {**row.numbers, **row.words}.items()
            if value not in (None, "")
        }
        for table in result.tables
        if table.result == kind
        for row in table.rows
    }


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
        {SZ_RADIO}.10.{LONG}.1|2|1
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
        # What the MIB says of the second counts, not the channel.
        f"{LONG}/1": {
            "channel": 1.0,
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


async def test_huawei_tells_what_is_invalid_by_255(ask: Ask) -> None:
    result = await ask(
        f"""
        {HUAWEI}.12.1.2.1.0|2|1
        {HUAWEI}.12.1.2.3.0|2|31
        {HUAWEI}.12.1.5.7.0|2|2
        {HUAWEI_AP}.2.{MAC}|4|2102350001
        {HUAWEI_AP}.3.{MAC}|4|AirEngine5760
        {HUAWEI_AP}.4.{MAC}|4|AP-R401
        {HUAWEI_AP}.6.{MAC}|2|8
        {HUAWEI_AP}.7.{MAC}|4|V200R021C00
        {HUAWEI_AP}.44.{MAC}|2|31
        {HUAWEI_AP}.50.{MAC}|2|3
        {HUAWEI_AP}.2.{OTHER}|4|2102350002
        {HUAWEI_AP}.4.{OTHER}|4|AP-R402
        {HUAWEI_AP}.6.{OTHER}|2|11
        {HUAWEI_RADIO}.5.{MAC}.0|2|1
        {HUAWEI_RADIO}.6.{MAC}.0|2|1
        {HUAWEI_RADIO}.7.{MAC}.0|2|6
        {HUAWEI_RADIO}.10.{MAC}.0|2|3
        {HUAWEI_RADIO}.24.{MAC}.0|66|4294967201
        {HUAWEI_RADIO}.25.{MAC}.0|2|40
        {HUAWEI_RADIO}.40.{MAC}.0|2|31
        {HUAWEI_RADIO}.45.{MAC}.0|2|20
        {HUAWEI_RADIO}.5.{MAC}.1|2|3
        {HUAWEI_RADIO}.6.{MAC}.1|2|2
        {HUAWEI_RADIO}.7.{MAC}.1|2|255
        {HUAWEI_RADIO}.10.{MAC}.1|2|255
        {HUAWEI_RADIO}.24.{MAC}.1|2|0
        {HUAWEI_RADIO}.25.{MAC}.1|2|255
        {HUAWEI_RADIO}.40.{MAC}.1|2|0
        {HUAWEI_RADIO}.45.{MAC}.1|2|255
        """,
        object_id="1.3.6.1.4.1.2011.2.240.17",
    )
    assert result.platform == "huawei_vrp"
    assert told(result, "controller") == {
        "0": {"aps_count": 1.0, "aps_total_count": 2.0, "clients_count": 31.0}
    }
    points = told(result, "access_point")
    assert points[MAC] == {
        "name": "AP-R401",
        "up": 1.0,
        "model": "AirEngine5760",
        "serial": "2102350001",
        "firmware": "V200R021C00",
        "clients_count": 31.0,
        "uplink_speed_bps": 1e9,
    }
    # In standby it works, at another controller.
    assert "up" not in points[OTHER]
    assert told(result, "radio") == {
        f"{MAC}/0": {
            "channel": 6.0,
            "band_hz": 2.4e9,
            "up": 1.0,
            "width_hz": 40e6,
            "noise_dbm": -95.0,
            "utilisation_ratio": 0.4,
            "clients_count": 31.0,
            "tx_power_dbm": 20.0,
        },
        f"{MAC}/1": {"band_hz": 6e9, "up": 0.0, "clients_count": 0.0},
    }


JOINED, MISSING = f"{WLC}.9.2.1", f"{WLC}.9.1.1"
LANCOM_WLC = f"""
    {WLC}.5.0|2|2
    {WLC}.7.0|2|1
    {WLC}.35.0|2|17
    {MISSING}.3.{OTHER}|4|AP-R502
    {MISSING}.21.{OTHER}|4|LN-1700
    {JOINED}.3.{MAC}.1|4|AP-R501
    {JOINED}.3.{MAC}.2|4|AP-R501
    {JOINED}.9.{MAC}.1|2|11
    {JOINED}.9.{MAC}.2|2|149
    {JOINED}.10.{MAC}.1|2|5
    {JOINED}.10.{MAC}.2|2|12
    {JOINED}.15.{MAC}.1|2|1
    {JOINED}.15.{MAC}.2|2|0
    {JOINED}.16.{MAC}.1|{text("17 dBm")}
    {JOINED}.21.{MAC}.1|4|LN-1700
    {JOINED}.22.{MAC}.1|4|4003000000000001
    {JOINED}.23.{MAC}.1|4|10.42.0742
    {JOINED}.28.{MAC}.1|2|23
"""


async def test_a_lancom_controller_knows_who_has_joined_and_who_is_missing(
    ask: Ask,
) -> None:
    result = await ask(LANCOM_WLC, object_id="1.3.6.1.4.1.2356.11.8.4")
    assert told(result, "access_point") == {
        MAC: {
            "name": "AP-R501",
            "up": 1.0,
            "model": "LN-1700",
            "serial": "4003000000000001",
            "firmware": "10.42.0742",
        },
        OTHER: {"name": "AP-R502", "up": 0.0, "model": "LN-1700"},
    }
    assert told(result, "radio") == {
        f"{MAC}/1": {
            "channel": 11.0,
            "band_hz": 2.4e9,
            "up": 1.0,
            "clients_count": 5.0,
            "tx_power_dbm": 17.0,
            "utilisation_ratio": 0.23,
        },
        # 149 is in two bands.
        f"{MAC}/2": {"channel": 149.0, "up": 0.0, "clients_count": 12.0},
    }
    records, _ = to_records(CONTROLLER, [], result, Known())
    (own,) = [record for record in records if record.kind == "wlan_controller"]
    assert own.values == {
        "aps_count": 1.0,
        "aps_total_count": 2.0,
        "clients_count": 17.0,
        "listed_aps_count": 1.0,
        "listed_clients_count": 17.0,
    }


OWN_RADIOS = f"""
    1.3.6.1.2.1.1.5.0|4|router-1
    {LCOS}.3.57.1.1.{WLAN_1}|4|WLAN-1
    {LCOS}.3.57.1.1.{WLAN_2}|4|WLAN-2
    {LCOS}.3.57.1.2.{WLAN_1}|2|1
    {LCOS}.3.57.1.2.{WLAN_2}|2|2
    {LCOS}.3.57.1.3.{WLAN_1}|2|1
    {LCOS}.3.57.1.3.{WLAN_2}|2|36
    {LCOS}.3.57.1.5.{WLAN_2}|2|-92
    {LCOS}.3.57.1.19.{WLAN_1}|2|5
    {LCOS}.3.57.1.19.{WLAN_2}|2|2
    {LCOS}.3.56.1.1.{WLAN_1}|4|WLAN-1
    {LCOS}.3.56.1.1.8.87.76.65.78.45.49.45.50|4|WLAN-1-2
    {LCOS}.3.56.1.1.{WLAN_2}|4|WLAN-2
    {LCOS}.3.56.1.4.{WLAN_1}|2|3
    {LCOS}.3.56.1.4.8.87.76.65.78.45.49.45.50|2|4
    {LCOS}.3.56.1.4.{WLAN_2}|2|0
"""


@pytest.mark.parametrize("controls", [False, True], ids=["alone", "controls others"])
async def test_lancom_radios_of_its_own(ask: Ask, *, controls: bool) -> None:
    result = await ask(
        OWN_RADIOS + (LANCOM_WLC if controls else ""),
        object_id="1.3.6.1.4.1.2356.11.8.313",
    )
    points, radios = told(result, "access_point"), told(result, "radio")
    assert set(points) == ({"0", MAC, OTHER} if controls else {"0"})
    assert points["0"]["name"] == "router-1"
    assert len(radios) == (4 if controls else 2)
    assert radios["0/WLAN-1"] == {
        "key": "WLAN-1",
        "channel": 1.0,
        "band_hz": 2.4e9,
        "width_hz": 40e6,
        # Of both its networks.
        "clients_count": 7.0,
    }
    assert radios["0/WLAN-2"] == {
        "key": "WLAN-2",
        "channel": 36.0,
        "band_hz": 5e9,
        "width_hz": 80e6,
        "noise_dbm": -92.0,
        "clients_count": 0.0,
    }


async def test_a_lancom_controller_that_lists_only_itself_was_cut_short(
    ask: Ask,
) -> None:
    result = await ask(
        f"{OWN_RADIOS}\n{WLC}.7.0|2|1", object_id="1.3.6.1.4.1.2356.11.8.313"
    )
    planned = AccessPoint(
        id="b1-r502", building_id="b1", name="AP-R502", controller_id="wlc"
    )
    records, _ = to_records(CONTROLLER, [planned], result, Known())
    points = {r.tags["ap"]: r for r in records if r.kind == "wlan_ap"}
    # Nor is it taken for the one that is planned.
    assert points["wlc/router-1"].values["up"] == 1.0
    assert points["b1-r502"].failure == "partial"


@pytest.mark.parametrize(
    ("object_id", "said", "model", "firmware", "serial"),
    [
        (
            "1.3.6.1.4.1.2356.600.6.310",
            "LANCOM L-310agn Wireless 8.60.0189 / 02.04.2012 111211800199",
            "L-310agn Wireless",
            "8.60.0189",
            "111211800199",
        ),
        (
            "1.3.6.1.4.1.2356.11.8.4",
            "LANCOM WLC-60 10.72.0484RU6 / 10.11.2023 4006000000000006",
            "WLC-60",
            "10.72.0484RU6",
            "4006000000000006",
        ),
    ],
)
async def test_lancom_says_what_it_is_in_one_line(
    ask: Ask, object_id: str, said: str, model: str, firmware: str, serial: str
) -> None:
    result = await ask(f"1.3.6.1.2.1.1.1.0|{text(said)}", object_id=object_id)
    assert result.platform == "lancom_lcos"
    facts = [result.words.get(name) for name in ("model", "firmware", "serial")]
    assert facts == [model, firmware, serial]


@pytest.mark.parametrize(
    ("band", "channel", "width", "wanted"),
    [
        (1, 1, 0, {"channel": 1.0, "band_hz": 2.4e9, "width_hz": 20e6}),
        (2, 149, 3, {"channel": 149.0, "band_hz": 5e9, "width_hz": 160e6}),
        # A band that came later, a width that is "auto".
        (3, 5, 255, {"channel": 5.0}),
        (3, 44, 1, {"channel": 44.0, "band_hz": 5e9, "width_hz": 40e6}),
        (1, 0, 0, {"band_hz": 2.4e9, "width_hz": 20e6}),
    ],
)
async def test_lancom_lx_bands_and_widths(
    ask: Ask, band: int, channel: int, width: int, wanted: Told
) -> None:
    result = await ask(
        f"""
        {LX}.3.57.1.2.{WLAN_1}|2|{band}
        {LX}.3.57.1.3.{WLAN_1}|2|{channel}
        {LX}.3.57.1.19.{WLAN_1}|2|{width}
        """,
        object_id="1.3.6.1.4.1.2356.13.8.0.10",
    )
    assert told(result, "radio") == {"0/WLAN-1": wanted}


@pytest.mark.parametrize(
    ("mode", "channel", "wanted"),
    [
        (1, 4, {"channel": 4.0, "band_hz": 2.4e9, "clients_count": 6.0}),
        (2, 124, {"channel": 124.0, "band_hz": 5e9, "clients_count": 6.0}),
        (3, 5, {"channel": 5.0, "band_hz": 6e9, "clients_count": 6.0}),
        (2, 0, {"band_hz": 5e9, "clients_count": 6.0}),
    ],
)
async def test_zyxel_bands_by_mode(
    ask: Ask, mode: int, channel: int, wanted: Told
) -> None:
    result = await ask(
        f"""
        1.3.6.1.2.1.1.1.0|4|NWA5123-AC
        {ZYXEL}.5.1.1.1.1|2|{channel}
        {ZYXEL}.5.1.1.2.1|66|6
        {ZYXEL}.5.1.1.5.1|2|{mode}
        """,
        object_id="1.3.6.1.4.1.890.1.15",
    )
    assert result.platform == "zyxel_ap"
    assert told(result, "radio") == {"0/1": wanted}


@pytest.mark.parametrize(
    ("platform", "name"),
    [
        ("huawei_vrp", "1.3.6.1.4.1.2011.6.139.13.1.1.1"),
        ("huawei_vrp", "1.3.6.1.4.1.2011.6.139.13.1.1.2"),
        ("zyxel_nxc", f"{ZYXEL}.3.2.2.1"),
        ("zyxel_nxc", f"{ZYXEL}.3.2.2.2"),
    ],
)
def test_traps_about_access_points(platform: str, name: str) -> None:
    traps = {trap.oid: trap.about for trap in load_platforms().get(platform).traps}
    assert traps[name] == "access_point"
