"""WLAN of LANCOM, as the text of their MIBs has it.

Values are made up; types, units, codes and indexes are the MIBs'.
"""

from __future__ import annotations

import pytest

from collectors.records import Known, to_records
from netmon.model import AccessPoint
from tests.collectors.wlan_rows import CONTROLLER, MAC, OTHER, Ask, Told, text, told

LCOS, LX = "1.3.6.1.4.1.2356.11.1", "1.3.6.1.4.1.2356.13.1"
WLC, WLAN_1, WLAN_2 = f"{LCOS}.73", "6.87.76.65.78.45.49", "6.87.76.65.78.45.50"

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
