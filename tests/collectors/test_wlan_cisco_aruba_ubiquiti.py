"""Cisco, Aruba, Extreme and Ubiquiti as their MIBs have them, beyond the recordings.

Names, addresses and values are made up; objects, types, codes and indexes are those of
AIRESPACE-WIRELESS-MIB, CISCO-LWAPP-AP-MIB, WLSX-WLAN-MIB, AI-AP-MIB, AH-INTERFACE-MIB,
UBNT-UniFi-MIB and UBNT-AirMAX-MIB.
"""

from __future__ import annotations

import pytest

from collectors.answers import read_values
from collectors.asker import Asker, Asking
from collectors.bands import with_band
from collectors.decode import Row
from collectors.meaning import joined
from collectors.plan import Planner
from collectors.platforms import load_platforms
from collectors.records import DeviceResult, Known, to_records
from collectors.tally import Tally
from collectors.wlan import controller_totals
from netmon.model import AccessPoint
from tests.collectors.on_paper import Bench, planned, shown
from tests.collectors.wlan_rows import CONTROLLER, Ask, text

AP1, AP2 = "2.0.0.0.1.0", "2.0.0.0.2.0"
LOW, MIDDLE, HIGH = 2.4e9, 5e9, 6e9


def rows(result: DeviceResult, kind: str) -> list[Row]:
    return [row for t in result.tables if t.result == kind for row in t.rows]


def known(row: Row) -> dict[str, float | str]:
    numbers = {name: value for name, value in row.numbers.items() if value is not None}
    return {**numbers, **{name: text for name, text in row.words.items() if text}}


def descr(words: str) -> str:
    return f"1.3.6.1.2.1.1.1.0|{text(words)}"


@pytest.mark.parametrize(
    ("told", "channel", "width_mhz", "is_six", "wanted"),
    [
        # Channels of one band only.
        (None, 6, 20, None, LOW),
        (None, 44, None, None, MIDDLE),
        (None, 144, 20, None, MIDDLE),
        (None, 37, 160, None, HIGH),
        (None, 233, 20, None, HIGH),
        # Channels of two bands: what decides is the device's word, width, or kind of radio.
        (LOW, 1, 20, None, LOW),
        (HIGH, 1, 20, None, HIGH),
        (None, 1, 20, None, None),
        (None, 1, 20, 0, LOW),
        (None, 1, 20, 1, HIGH),
        (None, 5, 80, None, HIGH),
        (MIDDLE, 149, 80, None, MIDDLE),
        (None, 161, 20, None, None),
        (None, 161, 20, 0, MIDDLE),
        (None, 161, 20, 1, None),
        # A radio that can change its band is told as what it was.
        (LOW, 36, 20, None, MIDDLE),
        (MIDDLE, 37, 80, None, HIGH),
        (MIDDLE, 5, 20, None, None),
        # No channels of 20 MHz tell nothing: the middle of a wide one, or between them.
        (MIDDLE, 42, 80, None, MIDDLE),
        (MIDDLE, 105, 20, 0, MIDDLE),
        (None, 184, 20, None, None),
        (None, 0.5, 20, None, None),
        (MIDDLE, None, 20, None, MIDDLE),
    ],
)
def test_the_band_that_a_channel_allows(
    told: float | None,
    channel: float | None,
    width_mhz: float | None,
    is_six: float | None,
    wanted: float | None,
) -> None:
    numbers = {
        "band_hz": told,
        "channel": None if channel is None else float(channel),
        "width_hz": None if width_mhz is None else width_mhz * 1e6,
        "is_six_ghz": is_six,
    }
    assert with_band(Row({}, numbers, {})).numbers["band_hz"] == wanted


AP, LWAPP = "1.3.6.1.4.1.14179.2.2.1.1", "1.3.6.1.4.1.9.9.513.1"
RADIO, NOISE = "1.3.6.1.4.1.14179.2.2.2.1", "1.3.6.1.4.1.14179.2.2.15.1.21"
LOAD, FRAMES = "1.3.6.1.4.1.14179.2.2.13.1", "1.3.6.1.4.1.14179.2.2.6.1"
ESS, WIDTH = "1.3.6.1.4.1.14179.2.1.1.1", f"{LWAPP}.2.1.1.23"


def radio(
    index: str, kind: int, channel: int, width: int, clients: int, level: int = 2
) -> list[str]:
    """Return a radio of a Catalyst 9800, with the noise of some channels."""
    return [
        f"{RADIO}.2.{index}|2|{kind}",
        f"{RADIO}.4.{index}|2|{channel}",
        f"{RADIO}.6.{index}|2|{level}",
        f"{RADIO}.12.{index}|2|2",
        f"{RADIO}.15.{index}|65|{clients}",
        f"{RADIO}.22.{index}|4|20,17,14",
        f"{LOAD}.3.{index}|2|31",
        f"{WIDTH}.{index}|2|{width}",
        f"{FRAMES}.3.{index}|65|500",
        f"{FRAMES}.12.{index}|65|10000",
        *(f"{NOISE}.{index}.{n}|2|{-(90 + n % 7)}" for n in (1, 6, 36, 37, 100, 116)),
    ]


C9800 = [
    descr(
        "Cisco IOS Software [Cupertino], C9800 Software (C9800_IOSXE-K9), "
        "Version 17.9.4, RELEASE SOFTWARE (fc5)\r\nTechnical Support: http://x"
    ),
    "1.3.6.1.2.1.1.2.0|6|1.3.6.1.4.1.9.1.2861",
    "1.3.6.1.2.1.1.3.0|67|463005024",
    "1.3.6.1.2.1.2.2.1.3.1|2|6",
    "1.3.6.1.2.1.2.2.1.8.1|2|1",
    f"{LWAPP}.3.35.0|66|2",
    f"{ESS}.2.1|4|-",
    f"{ESS}.38.1|65|30",
    f"{AP}.3.{AP1}|4|AP-R101",
    f"{AP}.3.{AP2}|4|AP-R102",
    f"{AP}.6.{AP1}|2|1",
    f"{AP}.6.{AP2}|2|1",
    f"{AP}.8.{AP1}|4|17.9.4.27",
    f"{AP}.16.{AP1}|4|CW9166I-E",
    f"{AP}.16.{AP2}|4|-",
    f"{AP}.17.{AP1}|4|FGL0000X001",
    f"{AP}.17.{AP2}|4|-",
    f"{LWAPP}.1.1.1.6.{AP1}|67|360000",
    f"{LWAPP}.2.2.1.11.{AP1}.0|66|2500",
    *radio(f"{AP1}.0", 1, 6, 3, 4),
    *radio(f"{AP1}.1", 2, 100, 5, 12),
    # dot116ghz(6), and dot11xor56ghz(7) where the channel says which.
    *radio(f"{AP1}.2", 6, 37, 6, 9),
    *radio(f"{AP2}.0", 7, 36, 4, 5),
    # dot11b(1) of a flexible radio that serves 5 GHz.
    *radio(f"{AP2}.1", 1, 116, 3, 0),
]


async def test_a_catalyst_9800() -> None:
    bench = Bench("\n".join(C9800))
    asker = Asker(
        Asking(load_platforms(), Planner(), Tally(), bench.clock, interval_s=60.0)
    )
    result = await asker.ask(CONTROLLER, bench.session)
    assert (result.platform, result.words["firmware"]) == ("cisco_wlc", "17.9.4")
    first, second = rows(result, "access_point")
    assert known(first) == {
        "name": "AP-R101",
        "up": 1.0,
        "model": "CW9166I-E",
        "serial": "FGL0000X001",
        "firmware": "17.9.4.27",
        "uptime_s": 3600.0,
        "uplink_speed_bps": 2.5e9,
    }
    # "-" is no serial number.
    assert known(second) == {"name": "AP-R102", "up": 1.0}
    assert [known(row) for row in rows(result, "network")] == [{"clients_count": 30.0}]
    radios = {
        (row.parts["ap"], row.parts["radio"]): [
            row.numbers.get(name)
            for name in ("band_hz", "channel", "width_hz", "noise_dbm", "clients_count")
        ]
        for row in rows(result, "radio")
    }
    assert radios == {
        (AP1, "0"): [LOW, 6, 20e6, -96, 4],
        (AP1, "1"): [MIDDLE, 100, 80e6, -92, 12],
        (AP1, "2"): [HIGH, 37, 160e6, -92, 9],
        (AP2, "0"): [MIDDLE, 36, 40e6, -91, 5],
        (AP2, "1"): [MIDDLE, 116, 20e6, -94, 0],
    }
    (one, *_) = rows(result, "radio")
    assert (one.numbers["tx_power_dbm"], one.numbers["utilisation_ratio"]) == (17, 0.31)
    totals = controller_totals(result.tables)
    assert (totals["aps_count"], totals["clients_count"]) == (2, 30)

    # Retries need a second poll; of noise the channel in use is asked and no other.
    bench.asked.clear()
    bench.clock.advance(60.0)
    later = (
        "\n".join(C9800).replace("|65|10000", "|65|11000").replace("|65|500", "|65|720")
    )
    bench.say(later.replace("|67|463005024", "|67|463011024"))
    result = await asker.ask(CONTROLLER, bench.session)
    assert {row.numbers["retries_ratio"] for row in rows(result, "radio")} == {0.22}
    assert len([oid for oid in bench.asked if oid.startswith(NOISE)]) == 5


async def test_a_plan_tells_no_noise_of_another_channel() -> None:
    bench = Bench("\n".join(C9800))
    plan, tables = await planned(bench.session, bench.clock)
    values = await read_values(bench.session, plan, clock=bench.clock, budget_s=30.0)
    assert shown(values.tables) == shown(tables)
    bench.say(
        "\n".join(C9800).replace(f"{RADIO}.4.{AP1}.1|2|100", f"{RADIO}.4.{AP1}.1|2|36")
    )
    values = await read_values(bench.session, plan, clock=bench.clock, budget_s=30.0)
    noise = {
        (row.parts["ap"], row.parts["radio"]): row.numbers["noise_dbm"]
        for table in joined(values.tables)
        if table.result == "radio"
        for row in table.rows
    }
    assert noise[AP1, "1"] is None
    assert noise[AP1, "0"] == -96


async def test_radios_of_the_first_access_point_only(ask: Ask) -> None:
    """As a Catalyst 9800 has it whose table of radios ends too early."""
    result = await ask(
        f"""
        {descr("C9800")}
        {AP}.3.{AP1}|4|AP-R101
        {AP}.3.{AP2}|4|AP-R102
        {RADIO}.4.{AP1}.0|2|11
        {RADIO}.15.{AP1}.0|65|3
        {ESS}.38.1|65|30
        """,
        object_id="1.3.6.1.4.1.9.1.2861",
    )
    totals = controller_totals(result.tables)
    assert (totals["listed_aps_count"], totals["clients_count"]) == (2, 30)
    # The clients of the radios that are told are not those of all.
    assert totals["listed_clients_count"] is None
    tags = {"building": "b1", "device": "wlc", "ap": "wlc/AP-R102", "radio": "0"}
    gone = {**tags, "ap": "wlc/AP-R199"}
    records, _ = to_records(CONTROLLER, [], result, Known(radios=(tags, gone)))
    points = {r.tags["ap"]: r.values for r in records if r.kind == "wlan_ap"}
    assert points["wlc/AP-R101"]["clients_count"] == 3
    assert points["wlc/AP-R102"]["clients_count"] is None
    (lost,) = [r for r in records if r.kind == "wlan_radio" and r.failure]
    assert lost.tags == tags


async def test_an_aireos_controller_counts_and_names_itself(ask: Ask) -> None:
    own = "1.3.6.1.4.1.14179.1.1.1"
    result = await ask(
        f"""
        {descr("Cisco Controller")}
        {own}.3.0|4|AIR-CT5520-K9
        {own}.4.0|4|FCH0000V001
        {own}.14.0|4|8.10.196.0
        1.3.6.1.4.1.9.9.618.1.8.4.0|66|7
        {LWAPP}.3.35.0|66|5
        {AP}.3.{AP1}|4|AP-R101
        {RADIO}.4.{AP1}.0|2|11
        {LOAD}.4.{AP1}.0|2|3
        {NOISE}.{AP1}.0.11|2|0
        """,
        object_id="1.3.6.1.4.1.9.1.1069",
    )
    words = {name: result.words[name] for name in ("model", "serial", "firmware")}
    assert words == {
        "model": "AIR-CT5520-K9",
        "serial": "FCH0000V001",
        "firmware": "8.10.196.0",
    }
    assert controller_totals(result.tables)["aps_count"] == 7
    # Without a type the channel tells the band; 0 is no noise.
    assert [known(row) for row in rows(result, "radio")] == [
        {"channel": 11.0, "clients_count": 3.0, "band_hz": LOW}
    ]


async def test_arubaos_6_ghz_and_other_totals(ask: Ask) -> None:
    """A code of wlanAPRadioType that ARUBA-TC does not have, and no WLSX-SWITCH-MIB."""
    state = "1.3.6.1.4.1.14823.2.2.1.5.2.1"
    told = {1: (1, "100E"), 2: (3, "1"), 3: (9, "37S"), 4: (9, "149E")}
    lines = [f"{state}.4.1.3.{AP1}|4|AP-R201", f"{state}.4.1.19.{AP1}|2|1"]
    for number, (kind, channel) in told.items():
        lines += [
            f"{state}.5.1.2.{AP1}.{number}|2|{kind}",
            f"{state}.5.1.3.{AP1}.{number}|2|{channel.rstrip('ES')}",
            f"{state}.5.1.15.{AP1}.{number}|4|{channel}",
            f"{state}.5.1.7.{AP1}.{number}|2|1",
        ]
    totals = [f"{state}.1.0|66|3", f"{state}.2.0|66|40"]
    result = await ask(
        "\n".join([*lines, *totals]), object_id="1.3.6.1.4.1.14823.1.1.47"
    )
    assert [row.numbers.get("band_hz") for row in rows(result, "radio")] == [
        MIDDLE,
        LOW,
        HIGH,
        None,
    ]
    own = controller_totals(result.tables)
    assert (own["aps_count"], own["clients_count"]) == (3, 40)


AI = "1.3.6.1.4.1.14823.2.3.3.1"


async def test_aruba_instant_bands_and_firmware(ask: Ask) -> None:
    channels = ["161", "1", "5", "149", "16420"]
    lines = [
        f"{AI}.2.2.1.4.{AP1}.{n}|4|{channel}" for n, channel in enumerate(channels)
    ]
    result = await ask(
        "\n".join(
            [
                f"{AI}.1.4.0|4|8.10.0.9",
                f"{AI}.2.1.1.2.{AP1}|4|AP-R301",
                f"{AI}.2.1.1.11.{AP1}|2|1",
                *lines,
            ]
        ),
        object_id="1.3.6.1.4.1.14823.1.2.117",
    )
    (point,) = rows(result, "access_point")
    assert point.words["firmware"] == "8.10.0.9"
    assert [row.numbers.get("band_hz") for row in rows(result, "radio")] == [
        MIDDLE,
        LOW,
        HIGH,
        # Radio 3 is of no kind that is known.
        None,
        None,
    ]
    # A channel with its width in the second byte is neither.
    last = rows(result, "radio")[-1].numbers
    assert (last["channel"], last["width_hz"]) == (None, None)


AOS10 = "AOS-10 (MODEL: 635), Version 10.7.1.0-10.7.1.0 SSR"


INSTANT = [
    f"{AI}.2.1.1.2.{AP1}|4|AP-R401",
    f"{AI}.2.1.1.4.{AP1}|4|CN00000002",
    f"{AI}.2.2.1.4.{AP1}.0|4|36E",
    f"{AI}.2.2.1.21.{AP1}.0|2|8",
]


@pytest.mark.parametrize("told", [[], INSTANT])
async def test_an_access_point_under_aos_10_reports_itself(
    ask: Ask, told: list[str]
) -> None:
    result = await ask(
        "\n".join(
            [
                descr(AOS10),
                "1.3.6.1.2.1.1.5.0|4|ap-aula",
                "1.3.6.1.2.1.31.1.1.1.1.1|4|eth0",
                "1.3.6.1.2.1.31.1.1.1.15.1|66|1000",
                *told,
            ]
        ),
        object_id="1.3.6.1.4.1.14823.1.2.125",
        line=False,
    )
    assert (result.platform, result.words["model"]) == ("aruba_aos10", "635")
    plan = AccessPoint(id="b1-aula", building_id="b1", name="aula", controller_id="wlc")
    records, _ = to_records(CONTROLLER, [plan], result, Known())
    (point,) = [record for record in records if record.kind == "wlan_ap"]
    assert point.tags["ap"] == "b1-aula"
    named = {"name": "AP-R401", "serial": "CN00000002"} if told else {"name": "ap-aula"}
    system = {"model": "635", "firmware": "10.7.1.0-10.7.1.0"}
    assert point.info == {**named, **system}
    assert point.values == {
        "up": 1.0,
        "clients_count": 8.0 if told else None,
        "uptime_s": 42.0,
        "uplink_speed_bps": 1e9,
    }
    bands = [r.values["band_hz"] for r in records if r.kind == "wlan_radio"]
    assert bands == ([MIDDLE] if told else [])


@pytest.mark.parametrize(
    ("system", "name"),
    [
        (AOS10, "aruba_aos10"),
        ("ArubaOS (MODEL: 515), Version 10.3.1.0-10.3.1.0", "aruba_aos10"),
        ("ArubaOS (MODEL: 515), Version 8.10.0.9-8.10.0.9", "aruba_instant"),
        ("AOS-8 (MODEL: 734), Version 8.13.0.0-8.13.0.0 SSR", "aruba_instant"),
    ],
)
def test_aruba_access_points_by_their_system(system: str, name: str) -> None:
    chosen = load_platforms().choose("1.3.6.1.4.1.14823.1.2.125", system)
    assert chosen.name == name


@pytest.mark.parametrize(
    ("system", "bands"),
    [
        ("AP250, HiveOS 8.1r2a build-178408", [LOW, MIDDLE]),
        # Access points that know 6 GHz call it IQ Engine.
        ("AP4000, IQ Engine 10.6r1 build-270000", [None, None]),
    ],
)
async def test_hiveos(ask: Ask, system: str, bands: list[float | None]) -> None:
    radio, own = "1.3.6.1.4.1.26928.1.1.1.2.1.5.1", "1.3.6.1.4.1.26928.1.2"
    result = await ask(
        f"""
        {descr(system)}
        {own}.1.0|4|ap-aula
        {own}.9.0|2|3
        {radio}.1.7|2|13
        {radio}.1.8|2|165
        {radio}.2.7|2|5
        {radio}.2.8|2|19
        {radio}.3.7|2|161
        {radio}.3.8|2|0
        """,
        object_id="1.3.6.1.4.1.26928.1",
        line=False,
    )
    (point,) = rows(result, "access_point")
    assert (point.words["name"], point.numbers["clients_count"]) == ("ap-aula", 3)
    told = [
        [row.numbers.get(name) for name in ("band_hz", "tx_power_dbm", "noise_dbm")]
        for row in rows(result, "radio")
    ]
    assert told == [[bands[0], 5, -95], [bands[1], 19, None]]


@pytest.mark.parametrize(
    ("said", "uptime_s"), [("1.3.6.1.4.1.41112.1.6.3.5.0|65|900000", 900000), ("", 42)]
)
async def test_a_unifi_access_points_own_uptime(
    ask: Ask, said: str, uptime_s: float
) -> None:
    result = await ask(
        f"{descr('U6-Pro 6.5.28')} 1.3.6.1.4.1.41112.1.6.1.1.1.3.1|4|ng {said}",
        object_id="1.3.6.1.4.1.41112",
    )
    (point,) = rows(result, "access_point")
    assert point.numbers["uptime_s"] == uptime_s


@pytest.mark.parametrize(("mode", "radios"), [(1, 0), (2, 1), (4, 1), (None, 1)])
async def test_an_airmax_unit_is_an_access_point_unless_it_is_a_station(
    ask: Ask, mode: int | None, radios: int
) -> None:
    air = "1.3.6.1.4.1.41112.1.4"
    result = await ask(
        f"""
        {"" if mode is None else f"{air}.1.1.2.1|2|{mode}"}
        {air}.1.1.4.1|2|5525
        {air}.5.1.14.1|2|40
        {air}.5.1.15.1|66|3
        1.2.840.10036.3.1.2.1.3.5|4|
        1.2.840.10036.3.1.2.1.3.7|4|LiteAP
        1.2.840.10036.3.1.2.1.4.7|4|WA.ar934x.v8.7.4.45112
        """,
        object_id="1.3.6.1.4.1.10002.1",
        line=False,
    )
    told = [
        [row.numbers[name] for name in ("band_hz", "channel", "width_hz")]
        for row in rows(result, "radio")
    ]
    # 5,525 MHz is between the channels of 5 GHz, and none of 6 GHz for that.
    assert told == [[MIDDLE, 105, 40e6]] * radios
    point = {"up": 1.0, "uptime_s": 42.0, "model": "LiteAP", "firmware": "8.7.4.45112"}
    assert list(map(known, rows(result, "access_point"))) == [point] * radios
    assert (result.words["model"], result.words["firmware"]) == (
        "LiteAP",
        "8.7.4.45112",
    )
