"""Cells: what is read, what is refused, and that written cells read back."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netmon.inventory import fields
from netmon.inventory.fields import RefusedError, suggestion
from netmon.model import Coverage, SchoolType, Technology
from netmon.units import MAX_RATE_BPS, MIN_RATE_BPS


@given(st.integers(MIN_RATE_BPS, MAX_RATE_BPS))
def test_a_written_rate_reads_back_exactly(rate_bps: int) -> None:
    assert fields.parse_rate(fields.write_rate(rate_bps)) == rate_bps


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("250", "rate_no_unit"),
        ("16,5", "rate_no_unit"),
        ("schnell", "rate_no_number"),
        ("-5 Mbit/s", "rate_no_number"),
        ("250 MB", "rate_unit"),
        ("250 Mbit", "rate_unit"),
        ("250 Mbyte/s", "rate_unit"),
        ("1 bit/s", "rate_range"),
        ("1000 Gbit/s", "rate_range"),
        ("1.000 Mbit/s", "rate_thousands"),
        ("16,000 kbit/s", "rate_thousands"),
    ],
)
def test_a_rate_is_refused_with_its_reason(text: str, code: str) -> None:
    with pytest.raises(RefusedError) as caught:
        fields.parse_rate(text)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("20.11.2026", "german_date"),
        ("2026-02-30", "no_such_day"),
        ("20261120", "bad_date"),
        ("2026-W47-5", "bad_date"),
        ("bald", "bad_date"),
    ],
)
def test_a_date_is_iso_or_refused(text: str, code: str) -> None:
    with pytest.raises(RefusedError) as caught:
        fields.parse_date(text)
    assert caught.value.code == code
    assert fields.parse_date("2026-11-20") == date(2026, 11, 20)


def test_a_german_date_is_refused_with_its_iso_spelling() -> None:
    with pytest.raises(RefusedError) as caught:
        fields.parse_date("1.9.2026")
    assert caught.value.values["iso"] == "2026-09-01"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("7.46", "swapped_degrees"),
        ("48.1", "latitude_outside"),
        ("51,5", "bad_degrees"),
        ("nan", "bad_degrees"),
        ("1_0", "bad_degrees"),
        ("51.5°", "bad_degrees"),
    ],
)
def test_latitudes_outside_nrw_are_refused(text: str, code: str) -> None:
    with pytest.raises(RefusedError) as caught:
        fields.parse_latitude(text)
    assert caught.value.code == code


def test_longitude_knows_a_latitude_when_it_sees_one() -> None:
    with pytest.raises(RefusedError, match="swapped_degrees"):
        fields.parse_longitude("51.5")
    with pytest.raises(RefusedError, match="longitude_outside"):
        fields.parse_longitude("13.4")
    assert fields.parse_longitude("7.46") == 7.46


@pytest.mark.parametrize("text", ["", "a b", "gs/1", "-x", "größe", "x" * 65])
def test_ids_need_no_quoting(text: str) -> None:
    with pytest.raises(RefusedError):
        fields.parse_id(text)


@pytest.mark.parametrize("text", ["a b", "a|b", " a | b "])
def test_lists_of_ids_are_separated_by_blank_or_bar(text: str) -> None:
    assert fields.parse_ids(text) == ("a", "b")
    with pytest.raises(RefusedError, match="id_twice"):
        fields.parse_ids("a a")


@pytest.mark.parametrize("text", ["host", "host:0", "host:65536", "a b:1", "fd00::1:x"])
def test_an_address_has_a_port(text: str) -> None:
    with pytest.raises(RefusedError, match="bad_address"):
        fields.parse_address(text)


@pytest.mark.parametrize("text", ["-1", "1.0", "acht", "²", "100001"])
def test_a_count_is_a_whole_number(text: str) -> None:
    with pytest.raises(RefusedError, match="bad_count"):
        fields.parse_count(text)


@pytest.mark.parametrize(
    ("kind", "given_text", "nearest"),
    [
        (SchoolType, "Foerderschule", "Förderschule"),
        (SchoolType, "grundschule", "Grundschule"),
        (Technology, "Glasfaser", "fibre"),
        (Technology, "Richtfunk", "radio"),
        (Coverage, "flächendeckend", "full"),
        (Coverage, "xyz", ""),
    ],
)
def test_the_nearest_word_is_suggested(
    kind: type[SchoolType] | type[Technology] | type[Coverage],
    given_text: str,
    nearest: str,
) -> None:
    assert suggestion(given_text, [one.value for one in kind]) == nearest
