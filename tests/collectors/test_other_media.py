"""Radios, modules and power of further models: rows as they tell them, retyped.

Names and addresses are invented; indexes, object ids, descriptions and the ways to
say "nothing" are those of devices in the field.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from collectors.decode import Row
from collectors.platforms import load_platforms
from collectors.records import DeviceResult

Ask = Callable[..., Awaitable[DeviceResult]]
DESCR = "1.3.6.1.2.1.1.1.0"
NAME = "1.3.6.1.2.1.31.1.1.1.1"
HIGH_SPEED, SPEED = "1.3.6.1.2.1.31.1.1.1.15.1", "1.3.6.1.2.1.2.2.1.5.1"
OPER = "1.3.6.1.2.1.2.2.1.8"
LTU, AF60 = "1.3.6.1.4.1.41112.1.10.1", "1.3.6.1.4.1.41112.1.11.1"
PTP = "1.3.6.1.4.1.17713"
SAF = "1.3.6.1.4.1.7571.100.1.1.7"
SAF_OTHER = "1.3.6.1.4.1.7571.100.1.1"
SIKLU = "1.3.6.1.4.1.31926"
XCVR = "1.3.6.1.4.1.11.2.14.11.5.1.82.1.1.1.1"
PSE = "1.3.6.1.2.1.105.1.1.1.6"
LINUX_LTU = "Linux X 3.14.65 #1 SMP PREEMPT RT Wed May 13 13:37:04 UTC 2020 armv7l"
LINUX_WAVE = "Linux 4.4.241 #1 SMP Tue Oct 1 11:03:45 UTC 2024 armv7l"


def text(words: str) -> str:
    return f"4x|{words.encode().hex()}"


def rows(result: DeviceResult, kind: str) -> list[Row]:
    tables = [table for table in result.tables if table.result == kind]
    assert all(table.complete for table in tables)
    return [row for table in tables for row in table.rows]


def known(row: Row) -> dict[str, float]:
    return {name: value for name, value in row.numbers.items() if value is not None}


@pytest.mark.parametrize(
    ("object_id", "descr", "name"),
    [
        ("1.3.6.1.4.1.8072.3.2.10", LINUX_LTU, "ubiquiti_ltu"),
        ("1.3.6.1.4.1.8072.3.2.10", "Linux srv 6.1.0-18-amd64 x86_64", "if_mib"),
        ("1.3.6.1.4.1.41112", LINUX_WAVE, "ubiquiti_wave"),
        ("1.3.6.1.4.1.41112", "U6-LR 6.5.28.14491", "unifi"),
        ("1.3.6.1.4.1.10002.1", LINUX_WAVE, "ubiquiti_radio"),
        (f"{PTP}.250", "Linux 250 2.6.32.27 mips", "cambium_ptp"),
        (f"{PTP}.5", "Cambium PTP 58500 Bridge, Version 58500-05-04", "cambium_ptp"),
        (f"{PTP}.6", "Cambium PTP 58600 Full, Version 58600-10-08", "cambium_ptp"),
        (f"{PTP}.8", "Cambium PTP 800 Bridge, Version 800-06-02", "cambium_ptp"),
        (f"{PTP}.21", "Cambium ePMP", "cambium_epmp"),
        ("1.3.6.1.4.1.43356.1.1.1", "Mimosa B5c Firmware v92329ce", "mimosa"),
        (f"{SAF_OTHER}.5.1", "SAF microwave radio;CFIP Lumina v1.64", "saf_cfip"),
        (f"{SAF_OTHER}.2.22", "SAF microwave radio", "saf_cfm"),
        (f"{SAF}.10", "Prod: Integra-X;Vers: 3.19.6;", "saf_integra"),
        ("1.3.6.1.4.1.2281.1.20.2.2.2", "IP-20S", "ceragon"),
        ("1.3.6.1.4.1.4413", "EdgeSwitch 24-Port 250W, 1.8.0", "if_mib"),
    ],
)
def test_what_models_call_themselves(object_id: str, descr: str, name: str) -> None:
    assert load_platforms().choose(object_id, descr).name == name


async def test_airfiber_ltu(ask: Ask) -> None:
    far = "2.0.0.0.0.214"
    station = f"{LTU}.4.1"
    said = f"""
        {DESCR}|{text(LINUX_LTU)}
        {LTU}.3.2.0|{text("airFiber 5XHD")}
        {LTU}.3.4.0|4|v1.4.0
        {station}.1.{far}|2|10
        {station}.2.{far}|2|8
        {station}.3.{far}|2|140800
        {station}.4.{far}|2|444800
        {station}.5.{far}|2|-57
        {station}.6.{far}|2|-48
        {station}.7.{far}|2|-99
    """
    result = await ask(said, object_id="1.3.6.1.4.1.8072.3.2.10")
    (row,) = rows(result, "radio_link")
    assert known(row) == {
        "up": 1,
        "capacity_down_bps": 444.8e6,
        "capacity_up_bps": 140.8e6,
        "modulation_qam": 1024,
        "modulation_far_qam": 256,
        "rx_level_dbm": -57,
        "rx_level_2_dbm": -48,
    }
    assert result.words["model"] == "airFiber 5XHD"
    assert result.words["firmware"] == "v1.4.0"


@pytest.mark.parametrize(
    ("object_id", "capacity", "level"),
    [
        ("1.3.6.1.4.1.10002.1", "41112.1.3.2.1.5.1", "41112.1.3.2.1.11.1"),
        ("1.3.6.1.4.1.2281.1.20.1.3.1", "", "2281.10.5.1.1.2.1"),
        (SIKLU, "31926.2.1.1.50.1", "31926.2.1.1.19.1"),
        (f"{PTP}.7", "", "17713.7.12.2.0"),
        (f"{SAF}.9", "", "7571.100.1.1.7.9.2.3.0"),
        (f"{SAF_OTHER}.5.1", "", "7571.100.1.1.5.1.1.1.10.1.5.1"),
    ],
)
async def test_nothing_is_received_at_0_dbm(
    ask: Ask, object_id: str, capacity: str, level: str
) -> None:
    said = f"1.3.6.1.4.1.{level}|2|0"
    if capacity:
        said += f"\n1.3.6.1.4.1.{capacity}|2|700"
    (row,) = rows(await ask(said, object_id=object_id), "radio_link")
    assert row.numbers["rx_level_dbm"] is None


@pytest.mark.parametrize("end", ["", ".1"])
@pytest.mark.parametrize("object_id", ["1.3.6.1.4.1.41112", "1.3.6.1.4.1.10002.1"])
async def test_airfiber_60_by_both_kinds_of_index(
    ask: Ask, end: str, object_id: str
) -> None:
    """UI-AF60-MIB ends the index with the address, agents with a 1 behind it."""
    told = {3: -52, 4: 14, 5: 9, 6: 9, 7: 1_500_000, 8: 1_650_000, 18: -54}
    said = f"{DESCR}|{text(LINUX_WAVE)}\n{AF60}.2.4.1|4|v3.4.0\n" + "\n".join(
        f"{AF60}.3.1.{column}.2.0.0.0.0.141{end}|2|{value}"
        for column, value in told.items()
    )
    result = await ask(said, object_id=object_id)
    (row,) = rows(result, "radio_link")
    assert known(row) == {
        "up": 1,
        "capacity_down_bps": 1.65e9,
        "capacity_up_bps": 1.5e9,
        "rx_level_dbm": -52,
        "rx_level_far_dbm": -54,
        "snr_db": 14,
    }
    assert result.words["firmware"] == "v3.4.0"


@pytest.mark.parametrize(
    ("family", "told", "wanted"),
    [
        # receivePower is not asked for everywhere; the raw one is there as well.
        (
            11,
            {"12.4": 230, "12.12": -528, "12.14": 24, "12.15": 20, "20.1": 161_340},
            {
                "rx_level_dbm": -52.8,
                "tx_power_dbm": 23,
                "modulation_qam": 64,
                "modulation_far_qam": 256,
            },
        ),
        (
            7,
            {"12.2": 4_294_966_768, "12.12": -530, "20.5": 0},
            {"rx_level_dbm": -52.8},
        ),
        (
            6,
            {
                "12.1": -611,
                "12.2": -287,
                "12.3": 180,
                "12.8": 3,
                "12.9": 10,
                "12.16": 0,
            },
            {
                "rx_level_dbm": -61.1,
                "mse_db": -28.7,
                "tx_power_dbm": 18,
                "modulation_qam": 64,
                "up": 1,
            },
        ),
        (5, {"12.1": -702, "12.3": 150}, {"rx_level_dbm": -70.2, "tx_power_dbm": 15}),
        (
            8,
            {"12.1": -389, "12.2": -334, "12.3": 196, "12.8": 0, "12.9": 6},
            {
                "rx_level_dbm": -38.9,
                "mse_db": -33.4,
                "tx_power_dbm": 19.6,
                "modulation_qam": 256,
                "modulation_far_qam": 4,
            },
        ),
        (
            250,
            {"5.1": -553, "5.3": 170, "5.8": 16, "5.9": 0, "5.15": -950, "11.4": 1},
            {
                "rx_level_dbm": -55.3,
                "tx_power_dbm": 17,
                "modulation_far_qam": 64,
                "noise_dbm": -95,
                "up": 1,
            },
        ),
    ],
)
async def test_cambium_ptp(
    ask: Ask, family: int, told: dict[str, int], wanted: dict[str, float]
) -> None:
    base = f"{PTP}.{family}"
    said = "\n".join(f"{base}.{oid}.0|2|{value}" for oid, value in told.items())
    (row,) = rows(await ask(said, object_id=base), "radio_link")
    assert known(row) == pytest.approx(wanted)


async def test_an_epmp_subscriber_has_a_modulation_each_way(ask: Ask) -> None:
    told = {3: -57, 5: 18, 6: 15, 7: 9, 16: 3, 18: 34}
    said = "\n".join(f"{PTP}.21.1.2.{oid}.0|2|{value}" for oid, value in told.items())
    (row,) = rows(await ask(said, object_id=f"{PTP}.21"), "radio_link")
    assert known(row) == {
        "up": 1,
        "rx_level_dbm": -57,
        "snr_db": 34,
        "tx_power_dbm": 18,
        # 9 is QPSK on two streams or 256-QAM on one.
        "modulation_qam": 64,
    }


@pytest.mark.parametrize("dot", ["", "."])
async def test_saf_tells_the_other_ends_modulation_as_received(
    ask: Ask, dot: str
) -> None:
    said = f"""
        {SAF}.9.2.1.0|2|10
        {SAF}.9.2.3.0|2|-31
        {SAF}.9.3.2.0|2|-373
        {SAF}.9.3.9.0|4|16QAM
        {SAF}.9.3.10.0|4|256QAM
        {SAF}.9.3.11.0|2|1455400
    """
    result = await ask(said, object_id=f"{dot}{SAF}.9")
    assert result.platform == "saf_integra"
    (row,) = rows(result, "radio_link")
    assert known(row) == pytest.approx(
        {
            "rx_level_dbm": -31,
            "tx_power_dbm": 10,
            "mse_db": -37.3,
            "modulation_qam": 256,
            "modulation_far_qam": 16,
            "capacity_down_bps": 1455.4e6,
        }
    )


@pytest.mark.parametrize(
    ("adaptive", "capacity_bps"), [((172_000, 148_000), 148e6), ((0, 0), 183e6)]
)
async def test_saf_cfip_tells_of_both_ends(
    ask: Ask, adaptive: tuple[int, int], capacity_bps: float
) -> None:
    radio, modem = f"{SAF_OTHER}.5.1.1.1.10.1", f"{SAF_OTHER}.5.1.1.1.12.1"
    descr = "SAF microwave radio;CFIP Lumina v1.64.27;Model:3;HW:6;SN: 31990;PC: S0"
    said = f"{DESCR}|{text(descr)}\n" + "\n".join(
        f"{radio}.4.{end}|2|{(15, -100)[end - 1]}\n"
        f"{radio}.5.{end}|2|{(-47, -49)[end - 1]}\n"
        f"{modem}.6.{end}|2|183000\n"
        f"{modem}.10.{end}|2|{(-351, -340)[end - 1]}\n"
        f"{modem}.18.{end}|2|{adaptive[end - 1]}"
        for end in (1, 2)
    )
    result = await ask(said, object_id=f"{SAF_OTHER}.5.1")
    (row,) = rows(result, "radio_link")
    assert known(row) == pytest.approx(
        {
            "rx_level_dbm": -47,
            "rx_level_far_dbm": -49,
            "tx_power_dbm": 15,
            "mse_db": -35.1,
            "capacity_down_bps": capacity_bps,
            "capacity_up_bps": capacity_bps,
        }
    )
    words = result.words
    assert (words["model"], words["firmware"], words["serial"]) == (
        "CFIP Lumina",
        "1.64.27",
        "31990",
    )


@pytest.mark.parametrize(("operation", "radios"), [(2, 2), (4, 2), (0, 1), (5, 1)])
async def test_a_saf_cfm_has_one_radio_or_two(
    ask: Ask, operation: int, radios: int
) -> None:
    mux = f"{SAF_OTHER}.2.22"
    said = f"""
        {mux}.2.3.0|2|4296
        {mux}.2.6.0|2|0
        {mux}.3.1.0|2|2
        {mux}.3.8.0|2|27
        {mux}.3.10.0|2|-54
        {mux}.4.1.0|2|{operation}
        {mux}.4.10.0|2|-51
    """
    found = rows(await ask(said, object_id=mux), "radio_link")
    first = known(found[0])
    assert first == {
        "up": 1,
        "rx_level_dbm": -54,
        "tx_power_dbm": 27,
        "capacity_down_bps": 4.296e6,
        "capacity_up_bps": 4.296e6,
    }
    assert [(r.parts["radio"], r.numbers["rx_level_dbm"]) for r in found] == [
        ("1", -54),
        ("2", -51),
    ][:radios]


async def test_saf_freemile_60(ask: Ask) -> None:
    base = f"{SAF_OTHER}.12"
    far = ".".join(map(str, (17, *b"02:00:00:00:00:a1")))
    told = {6: -58, 7: 1925, 8: 12, 9: 1540}
    said = f"{base}.3.4.0|4|1.12.0\n" + "\n".join(
        f"{base}.2.6.1.{column}.{far}|2|{value}" for column, value in told.items()
    )
    result = await ask(said, object_id=base)
    (row,) = rows(result, "radio_link")
    assert known(row) == {
        "up": 1,
        "rx_level_dbm": -58,
        "snr_db": 12,
        "capacity_down_bps": 1.54e9,
        "capacity_up_bps": 1.925e9,
    }
    assert result.words["firmware"] == "1.12.0"


@pytest.mark.parametrize(
    ("running", "firmware"), [(1, "3.7.6"), (2, "3.7.1"), (3, "3.7.1"), (7, None)]
)
async def test_siklu_runs_one_of_two_banks(
    ask: Ask, running: int, firmware: str | None
) -> None:
    said = f"""
        {SIKLU}.1.5.0|4|3.7.1
        {SIKLU}.1.6.0|4|3.7.6
        {SIKLU}.1.7.0|2|{running}
        {SIKLU}.2.1.1.7.1|2|3
        {SIKLU}.2.1.1.17.1|2|1
        {SIKLU}.2.1.1.19.1|2|-38
        {SIKLU}.2.1.1.46.1|2|9
    """
    result = await ask(said, object_id=SIKLU)
    assert result.words.get("firmware") == firmware
    (row,) = rows(result, "radio_link")
    # rfModulationType knows no 128-QAM.
    assert row.numbers["modulation_qam"] == 128


async def test_a_ceragon_radio_is_as_its_interface(ask: Ask) -> None:
    level = "1.3.6.1.4.1.2281.10.5.1.1.2"
    states = {268_451_969: 1, 268_451_970: 2, 268_451_971: None}
    said = "\n".join(
        f"{level}.{index}|2|-45" + (f"\n{OPER}.{index}|2|{oper}" if oper else "")
        for index, oper in states.items()
    )
    result = await ask(said, object_id="1.3.6.1.4.1.2281.1.20.1.3.1")
    assert [r.numbers["up"] for r in rows(result, "radio_link")] == [1, 0, None]


async def test_a_draytek_tells_whole_decibels(ask: Ask) -> None:
    adsl = "1.3.6.1.2.1.10.94.1.1"
    said = f"""
        {OPER}.4|2|1
        1.3.6.1.2.1.10.251.1.2.2.1.2.4.1|66|110162000
        {adsl}.3.1.4.4|2|5
        {adsl}.2.1.4.4|2|60
        {adsl}.3.1.5.4|66|16
        {adsl}.2.1.5.4|66|130
    """
    (row,) = rows(await ask(said, object_id="1.3.6.1.4.1.7367"), "dsl")
    # 60 and 130 would be of firmware that counts tenths after all.
    assert known(row) == {
        "up": 1,
        "rate_down_bps": 110.162e6,
        "snr_margin_down_db": 5,
        "attenuation_down_db": 16,
    }


async def test_of_a_draytek_s_vdsl2_margins_only_sure_tenths_count(ask: Ask) -> None:
    vdsl2 = "1.3.6.1.2.1.10.251.1"
    said = f"""
        {vdsl2}.2.2.1.2.4.1|66|110162000
        {vdsl2}.1.1.1.20.4|66|118000000
        {vdsl2}.1.2.1.4.4.2|2|78
        {vdsl2}.1.2.1.4.4.1|2|9
        {vdsl2}.4.1.1.1.7.4.2|66|3
    """
    (row,) = rows(await ask(said, object_id="1.3.6.1.4.1.7367"), "dsl")
    assert known(row) == {
        "rate_down_bps": 110.162e6,
        "attainable_down_bps": 118e6,
        "snr_margin_down_db": pytest.approx(7.8),
        "severely_errored_seconds_15min_count": 3,
    }


async def test_procurve_modules_that_measure_and_that_do_not(ask: Ask) -> None:
    told = {
        49: (1, -6020, -99_999_999),
        50: (1, -5840, 4_294_955_296),
        51: (0, 0, 0),
        52: (2, -99_999_999, -99_999_999),
    }
    said = "\n".join(
        f"{XCVR}.9.{port}|2|{dom}\n{XCVR}.14.{port}|2|{tx}\n{XCVR}.15.{port}|66|{rx}"
        for port, (dom, tx, rx) in told.items()
    )
    result = await ask(said, object_id="1.3.6.1.4.1.11.2.3.7.11.160")
    assert {
        r.parts["port"]: (r.numbers["tx_dbm"], r.numbers["rx_dbm"])
        for r in rows(result, "optics")
    } == {"49": (-6.02, -40.0), "50": (-5.84, -12.0)}


@pytest.mark.parametrize(
    ("high", "low", "wanted"),
    [
        (1000, 4_294_967_295, 1e9),
        (0, 100_000_000, 1e8),
        (0, 4_294_967_295, None),
        # 10 Gbit/s in 32 bits, and an unknown speed made of 2^32-1 or of 16 bits.
        (0, 1_410_065_408, None),
        (4294, 4_294_967_295, None),
        (65535, 0, None),
        (2147, 2_147_483_647, None),
        (0, 4_294_000_000, None),
        # Told in bit/s.
        (1_000_000_000, 1_000_000_000, 1e9),
        (10_000, 1_410_065_408, 1e10),
        (2500, 2_500_000_000, 2.5e9),
    ],
)
async def test_speeds_that_are_none(
    ask: Ask, high: int, low: int, wanted: float | None
) -> None:
    (port,) = rows(await ask(f"{HIGH_SPEED}|66|{high}\n{SPEED}|66|{low}"), "port")
    assert port.numbers["speed_bps"] == wanted


async def test_power_of_an_edgeswitch(ask: Ask) -> None:
    said = f"""
        {NAME}.1|4|0/1
        {PSE}.1.1|2|3
        1.3.6.1.4.1.4413.1.1.15.1.1.1.2.1.1|66|6400
    """
    (port,) = rows(await ask(said, object_id="1.3.6.1.4.1.4413"), "port")
    assert (port.numbers["poe_on"], port.numbers["poe_w"]) == (1, 6.4)


@pytest.mark.parametrize(
    ("object_id", "said", "wanted"),
    [
        (
            "1.3.6.1.4.1.2011.2.23.291",
            "1.3.6.1.4.1.2011.5.25.195.3.1.10.1|2|7300\n"
            "1.3.6.1.4.1.2011.5.25.195.3.1.6.1|4|on",
            (1, 7.3),
        ),
        (
            "1.3.6.1.4.1.2011.2.23.291",
            "1.3.6.1.4.1.2011.5.25.195.3.1.10.1|2|0\n"
            "1.3.6.1.4.1.2011.5.25.195.3.1.6.1|4|off",
            (0, 0),
        ),
        (
            "1.3.6.1.4.1.14988.1",
            "1.3.6.1.4.1.14988.1.1.15.1.1.3.1|2|3\n"
            "1.3.6.1.4.1.14988.1.1.15.1.1.6.1|2|84",
            (1, 8.4),
        ),
        # Of a port that is in no table nothing is said.
        (
            "1.3.6.1.4.1.14988.1",
            "1.3.6.1.4.1.14988.1.1.15.1.1.3.7|2|3",
            (None, None),
        ),
    ],
)
async def test_power_by_interface(
    ask: Ask, object_id: str, said: str, wanted: tuple[float | None, float | None]
) -> None:
    (port,) = rows(await ask(said, object_id=object_id), "port")
    told = (port.numbers.get("poe_on"), port.numbers.get("poe_w"))
    assert told == wanted
