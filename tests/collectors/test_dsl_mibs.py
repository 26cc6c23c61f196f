"""DSL of modems nobody has recorded: by the MIBs, and by what agents leave out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

import pytest

from collectors.decode import Row
from collectors.line_records import line_records
from collectors.records import DeviceResult
from netmon.model import FailureReason
from tests.city import a_router

Ask = Callable[..., Awaitable[DeviceResult]]
VDSL2 = "1.3.6.1.2.1.10.251.1"
ADSL = "1.3.6.1.2.1.10.94.1.1"
OPER = "1.3.6.1.2.1.2.2.1.8"

FULL_VDSL2 = f"""
    {OPER}.4|2|1
    {VDSL2}.2.2.1.2.4.1|66|109000000
    {VDSL2}.2.2.1.2.4.2|66|42000000
    {VDSL2}.1.1.1.20.4|66|131000000
    {VDSL2}.1.1.1.21.4|66|47000000
    {VDSL2}.1.2.1.2.4.1|66|2147483646
    {VDSL2}.1.2.1.2.4.2|66|2147483646
    {VDSL2}.1.2.1.2.4.3|66|41
    {VDSL2}.1.2.1.2.4.4|66|112
    {VDSL2}.1.2.1.2.4.6|66|305
    {VDSL2}.1.2.1.4.4.1|2|83
    {VDSL2}.1.2.1.4.4.2|2|-7
    {VDSL2}.4.1.1.1.6.4.1|66|77
    {VDSL2}.4.1.1.1.6.4.2|66|12
    {VDSL2}.4.1.1.1.7.4.2|66|1
    {VDSL2}.4.1.2.1.11.4|66|3
"""


def dsl(result: DeviceResult) -> list[Row]:
    return [
        row for table in result.tables if table.result == "dsl" for row in table.rows
    ]


def known(numbers: Mapping[str, float | None]) -> dict[str, float]:
    return {name: value for name, value in numbers.items() if value is not None}


async def test_all_of_vdsl2_line_mib(ask: Ask) -> None:
    result = await ask(FULL_VDSL2)
    assert result.platform == "line_device"
    (row,) = dsl(result)
    assert known(row.numbers) == {
        "up": 1,
        "rate_down_bps": 109e6,
        "rate_up_bps": 42e6,
        "attainable_down_bps": 131e6,
        "attainable_up_bps": 47e6,
        "snr_margin_down_db": pytest.approx(-0.7),
        "snr_margin_up_db": pytest.approx(8.3),
        # Not told for the whole line, so of the lowest band.
        "attenuation_down_db": pytest.approx(11.2),
        "attenuation_up_db": pytest.approx(4.1),
        # The modem's, not the exchange's.
        "errored_seconds_15min_count": 12,
        "severely_errored_seconds_15min_count": 1,
        "resyncs_day_count": 3,
    }


async def test_what_is_not_available_is_not_2147483646(ask: Ask) -> None:
    said = f"""
        {VDSL2}.2.2.1.2.4.1|66|50000000
        {VDSL2}.1.1.1.20.4|66|2147483646
        {VDSL2}.1.2.1.4.4.2|2|2147483647
        {VDSL2}.1.2.1.2.4.2|66|2147483646
    """
    (row,) = dsl(await ask(said))
    assert known(row.numbers) == {"rate_down_bps": 50e6}


async def test_an_old_modem_with_adsl_line_mib_only(ask: Ask) -> None:
    said = f"""
        {OPER}.3|2|1
        {ADSL}.4.1.2.3|66|16000000
        {ADSL}.5.1.2.3|66|1024000
        {ADSL}.2.1.8.3|66|18000000
        {ADSL}.3.1.8.3|66|1200000
        {ADSL}.2.1.4.3|2|95
        {ADSL}.3.1.4.3|2|61
        {ADSL}.2.1.5.3|66|180
        {ADSL}.3.1.5.3|66|310
        {ADSL}.6.1.6.3|65|19
        {ADSL}.6.1.22.3|66|1
        {ADSL}.7.1.4.3|65|440
        {ADSL}.7.1.11.3|66|5
    """
    (row,) = dsl(await ask(said))
    assert known(row.numbers) == {
        "up": 1,
        "rate_down_bps": 16e6,
        "rate_up_bps": 1.024e6,
        "attainable_down_bps": 18e6,
        "attainable_up_bps": 1.2e6,
        "snr_margin_down_db": pytest.approx(6.1),
        "snr_margin_up_db": pytest.approx(9.5),
        "attenuation_down_db": 31,
        "attenuation_up_db": 18,
        "resyncs_total": 19,
        "resyncs_day_count": 1,
        "errored_seconds_total": 440,
        "errored_seconds_15min_count": 5,
    }


async def test_a_margin_under_zero_is_so_however_it_is_sent(ask: Ask) -> None:
    said = f"""
        {VDSL2}.2.2.1.2.4.1|66|50000000
        {VDSL2}.1.2.1.4.4.2|66|4294967281
        {ADSL}.2.1.4.4|66|4294967276
    """
    (row,) = dsl(await ask(said))
    assert known(row.numbers) == {
        "rate_down_bps": 50e6,
        "snr_margin_down_db": pytest.approx(-1.5),
        "snr_margin_up_db": -2,
    }


ROUTER = a_router()


async def test_a_line_and_its_channel_under_two_numbers_become_one(ask: Ask) -> None:
    said = f"""
        {OPER}.4|2|1
        {OPER}.5|2|1
        {VDSL2}.1.1.1.20.4|66|131000000
        {VDSL2}.1.2.1.4.4.2|2|71
        {VDSL2}.2.2.1.2.5.1|66|109000000
    """
    result = await ask(said)
    (record,), _ = line_records(ROUTER, result.tables, 1, ())
    assert record.tags == {"building": "b1", "device": "rt1", "line": "b1-main"}
    assert known(record.values) == {
        "up": 1,
        "attainable_down_bps": 131e6,
        "snr_margin_down_db": pytest.approx(7.1),
        "rate_down_bps": 109e6,
    }


async def test_without_synchronisation_nothing_old_is_told(ask: Ask) -> None:
    result = await ask(FULL_VDSL2.replace(f"{OPER}.4|2|1", f"{OPER}.4|2|2"))
    (record,), _ = line_records(ROUTER, result.tables, 1, ())
    assert known(record.values) == {"up": 0, "resyncs_day_count": 3}


async def test_a_router_without_dsl_makes_no_record_of_one(ask: Ask) -> None:
    result = await ask("")
    assert result.platform == "line_device"
    assert line_records(ROUTER, result.tables, 1, ()) == ([], ())


async def test_a_switch_is_not_asked_about_a_medium(ask: Ask) -> None:
    result = await ask(FULL_VDSL2, line=False)
    assert result.platform == "if_mib"
    assert [table.result for table in result.tables] == ["port", "poe", "neighbour"]


LANCOM = "1.3.6.1.4.1.2356.11.1"


def lancom(base: str, state: int, down_kbits: int) -> str:
    return f"""
        {LANCOM}.{base}.1.0|2|{state}
        {LANCOM}.{base}.4.0|2|39998
        {LANCOM}.{base}.5.0|2|{down_kbits}
        {LANCOM}.{base}.6.0|4|8.5
        {LANCOM}.{base}.7.0|4|11.0
        {LANCOM}.{base}.8.0|4|12.25
        {LANCOM}.{base}.9.0|4|--
        {LANCOM}.{base}.36.0|2|140000
        {LANCOM}.{base}.37.0|2|44000
        {LANCOM}.{base}.25.102.0|2|17
    """


@pytest.mark.parametrize("base", ["75", "99.2", "99.3", "41", "99.1"])
async def test_lancom_tells_it_in_objects_of_its_own(ask: Ask, base: str) -> None:
    said = lancom(base, 5, 109_344)
    result = await ask(said, object_id="1.3.6.1.4.1.2356.11.8.700")
    assert result.platform == "lancom_lcos"
    (record,), _ = line_records(ROUTER, result.tables, 1, ())
    assert known(record.values) == {
        "up": 1,
        "rate_down_bps": 109.344e6,
        "rate_up_bps": 39.998e6,
        "attainable_down_bps": 140e6,
        "attainable_up_bps": 44e6,
        "snr_margin_down_db": 8.5,
        "snr_margin_up_db": 11,
        "attenuation_down_db": 12.25,
        "crc_errors_total": 17,
    }


async def test_lancoms_unused_modem_does_not_speak_for_the_used_one(ask: Ask) -> None:
    said = lancom("41", 1, 0) + lancom("75", 5, 109_344)
    result = await ask(said, object_id="1.3.6.1.4.1.2356.11.8.700")
    (record,), _ = line_records(ROUTER, result.tables, 1, ())
    assert record.values["up"] == 1
    assert record.values["rate_down_bps"] == 109.344e6


async def test_of_lancoms_two_modems_the_one_in_use_counts(ask: Ask) -> None:
    said = lancom("99.2", 2, 0) + lancom("99.3", 5, 63_000)
    result = await ask(said, object_id="1.3.6.1.4.1.2356.11.8.700")
    (record,), _ = line_records(ROUTER, result.tables, 1, ())
    assert (record.values["up"], record.values["rate_down_bps"]) == (1, 63e6)


async def test_an_unreadable_table_is_a_failure_of_what_was_known(ask: Ask) -> None:
    whole = await ask(FULL_VDSL2)
    _, seen = line_records(ROUTER, whole.tables, 1, ())
    torn = [
        table if table.result != "dsl" else type(table)(table.name, "dsl")
        for table in whole.tables
    ]
    for before in (seen, ()):
        (record,), after = line_records(ROUTER, torn, 2, before)
        assert (record.kind, record.failure) == ("line_dsl", FailureReason.PARTIAL)
        assert record.tags["line"] == "b1-main"
        assert after == (("line_dsl", record.tags),)
