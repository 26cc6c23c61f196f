"""WLAN of Huawei and Zyxel, as the text of their MIBs has it.

Values are made up; types, units, codes and indexes are the MIBs'.
"""

from __future__ import annotations

import pytest

from collectors.platforms import load_platforms
from tests.collectors.wlan_rows import MAC, OTHER, Ask, Told, told

HUAWEI = "1.3.6.1.4.1.2011.6.139"
HUAWEI_AP, HUAWEI_RADIO = f"{HUAWEI}.13.3.3.1", f"{HUAWEI}.16.1.2.1"
ZYXEL = "1.3.6.1.4.1.890.1.15.3"


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
