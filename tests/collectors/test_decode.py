"""What a device's bytes mean, and when a table counts as read whole."""

from __future__ import annotations

import pytest

from collectors.base import Value
from collectors.columns import wanted_rows, without_value
from collectors.decode import Remark, decode_table
from collectors.platform_model import Column, IndexPart, Keep, Table
from collectors.values import clean_text, cut_out, number

NAME = "1.3.6.1.9.1"
UP = "1.3.6.1.9.2"
NOISE = "1.3.6.1.9.3"
POINTS = Table(
    "points",
    "access_point",
    (IndexPart("ap", 1),),
    (
        Column("name", NAME, required=True),
        Column("up", UP, enumeration={1: 1, 2: 0}, required=True),
        Column("uptime_s", "1.3.6.1.9.4", scale=0.01),
    ),
    never_empty=True,
)


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"GS07-R1", "GS07-R1"),
        ("Straße".encode(), "Straße"),
        ("Straße".encode("latin-1"), "Straße"),
        (b"  padded \x00\x00", "padded"),
        (b"two\r\nlines", "two lines"),
        (b"bell\x07 and \x1b[1mcolour", "bell and [1mcolour"),
        (b"\xff", "ÿ"),
        (b"", ""),
        (17, "17"),
        (b"x" * 500, "x" * 128),
    ],
)
def test_text_is_utf8_else_latin1_and_has_no_control_characters(
    raw: Value, text: str
) -> None:
    assert clean_text(raw) == text


def test_a_pattern_cuts_its_group_out() -> None:
    assert cut_out(r"^(\d+)", "116E") == "116"
    assert cut_out(r"^(\d+)", "none") == ""
    assert cut_out("", "all") == "all"


@pytest.mark.parametrize(
    ("column", "raw", "wanted"),
    [
        (Column("channel", NAME), 6, 6.0),
        (Column("noise_dbm", NAME, scale=-1), 94, -94.0),
        (Column("utilisation_ratio", NAME, scale=0.01), 57, 0.57),
        (Column("channel", NAME, pattern=r"^(\d+)"), b"53S", 53.0),
        (Column("channel", NAME, pattern=r"^(\d+)"), b"", None),
        (Column("channel", NAME), b"-12.5", -12.5),
        (Column("channel", NAME), b"n/a", None),
        (Column("speed_bps", NAME, missing=(0,)), 0, None),
        (Column("up", NAME, enumeration={1: 1, 2: 0, 4: None}), 2, 0.0),
        (Column("up", NAME, enumeration={1: 1, 2: 0, 4: None}), 4, None),
        (Column("up", NAME, enumeration={1: 1, 2: 0, 4: None}), 99, None),
        (Column("in_octets_total", NAME), 2**64 - 1, 2.0**64),
    ],
)
def test_numbers(column: Column, raw: Value, wanted: float | None) -> None:
    assert number(column, raw) == wanted


def columns(names: int, ups: int) -> dict[str, dict[tuple[int, ...], Value]]:
    return {
        NAME: {(n,): f"AP{n}".encode() for n in range(1, names + 1)},
        UP: {(n,): 1 for n in range(1, ups + 1)},
    }


def test_a_table_whose_required_columns_agree_is_complete() -> None:
    result = decode_table(POINTS, columns(3, 3))
    assert result.complete
    assert [row.words["name"] for row in result.rows] == ["AP1", "AP2", "AP3"]
    assert [row.numbers["up"] for row in result.rows] == [1.0, 1.0, 1.0]
    assert [row.numbers["uptime_s"] for row in result.rows] == [None, None, None]


@pytest.mark.parametrize(("names", "ups"), [(3, 2), (2, 3)])
def test_a_column_that_breaks_off_leaves_the_table_incomplete(
    names: int, ups: int
) -> None:
    """An error status in mid-walk looks like the end of the table."""
    result = decode_table(POINTS, columns(names, ups))
    assert not result.complete
    assert [row.words["name"] for row in result.rows] == ["AP1", "AP2"]
    assert result.remarks == (Remark("uneven"),)


def test_a_lost_required_column_gives_no_rows() -> None:
    result = decode_table(POINTS, {NAME: columns(3, 3)[NAME]}, [UP])
    assert not result.complete
    assert result.rows == ()
    assert Remark("lost_column", {"field": "up", "oid": UP}) in result.remarks


def test_a_lost_other_column_costs_only_its_values() -> None:
    result = decode_table(POINTS, columns(2, 2), ["1.3.6.1.9.4"])
    assert result.complete
    assert len(result.rows) == 2
    assert len(result.remarks) == 1


def test_a_table_that_is_never_empty_is_incomplete_without_rows() -> None:
    result = decode_table(POINTS, {NAME: {}, UP: {}})
    assert not result.complete
    assert result.remarks == (Remark("empty"),)


def test_rows_with_an_odd_index_are_left_out() -> None:
    odd: dict[str, dict[tuple[int, ...], Value]] = {
        NAME: {(1,): b"AP1", (1, 2): b"?"},
        UP: {(1,): 1, (1, 2): 1},
    }
    result = decode_table(POINTS, odd)
    assert [row.words["name"] for row in result.rows] == ["AP1"]
    assert result.remarks == (Remark("odd_index", {"n": 1}),)


def test_a_number_out_of_range_is_left_out_and_named() -> None:
    radios = Table(
        "radios",
        "radio",
        (IndexPart("ap", 1), IndexPart("radio", 1)),
        (Column("noise_dbm", NOISE, scale=-1, required=True),),
    )
    result = decode_table(radios, {NOISE: {(1, 0): -94, (1, 1): 94}})
    assert [row.numbers["noise_dbm"] for row in result.rows] == [None, -94.0]
    said = {"field": "noise_dbm", "value": "94"}
    assert result.remarks == (Remark("out_of_range", said),)


HIGH, LOW, TYPE = "1.3.6.1.9.15", "1.3.6.1.9.5", "1.3.6.1.9.6"
PORTS = Table(
    "ports",
    "port",
    (IndexPart("port", 1),),
    (
        Column("type", TYPE, required=True),
        Column("speed_bps", HIGH, scale=1e6, missing=(0,)),
        Column("speed_bps", LOW, missing=(0, 2**32 - 1)),
    ),
    keep=Keep("type", (6,)),
)


def test_the_first_column_with_a_value_wins_row_by_row() -> None:
    said: dict[str, dict[tuple[int, ...], Value]] = {
        TYPE: {(1,): 6, (2,): 6, (3,): 6, (4,): 24},
        HIGH: {(1,): 10_000, (2,): 0, (4,): 1},
        LOW: {(1,): 2**32 - 1, (2,): 100_000_000, (3,): 2**32 - 1, (4,): 7},
    }
    result = decode_table(PORTS, said)
    assert [row.numbers["speed_bps"] for row in result.rows] == [1e10, 1e8, None]


def test_rows_left_without_a_value() -> None:
    said: dict[str, dict[tuple[int, ...], Value]] = {
        TYPE: {(1,): 6, (2,): 6, (3,): 6, (4,): 24},
        HIGH: {(1,): 10_000, (2,): 0},
    }
    rows = wanted_rows(PORTS, said)
    assert rows == {(1,), (2,), (3,)}
    assert without_value(PORTS, PORTS.columns[1], said, rows) == {(2,), (3,)}


RATES = "1.3.6.1.9.7"
STATIONS = "1.3.6.1.9.8"
LINKS = Table(
    "links",
    "radio_link",
    (IndexPart("radio", 1),),
    (
        Column("capacity_down_bps", RATES, suffix=(1,), required=True),
        Column("capacity_up_bps", RATES, suffix=(2,)),
        Column("snr_db", STATIONS, fold="single"),
    ),
)


def test_a_longer_index_finds_its_row_by_its_end_or_by_being_alone() -> None:
    said: dict[str, dict[tuple[int, ...], Value]] = {
        RATES: {(4, 1): 100, (4, 2): 40, (5, 1): 90},
        STATIONS: {(4, 9, 9): 23, (5, 7, 7): 20, (5, 8, 8): 31},
    }
    result = decode_table(LINKS, said)
    found = {
        row.parts["radio"]: (
            row.numbers["capacity_down_bps"],
            row.numbers["capacity_up_bps"],
            row.numbers["snr_db"],
        )
        for row in result.rows
    }
    # Radio 5 has two other ends: which of them is meant nobody says.
    assert found == {"4": (100, 40, 23), "5": (90, None, None)}
    assert result.complete


@pytest.mark.parametrize(
    ("column", "raw", "value"),
    [
        (Column("mse_db", NOISE, signed=True, scale=0.01), 4294963468, -38.28),
        (Column("mse_db", NOISE, signed=True, scale=0.01), -3828, -38.28),
        (Column("mse_db", NOISE, signed=True, missing=(-9900,)), 4294957396, None),
        (Column("rx_dbm", NOISE, milliwatt=True, scale=1e-4), 6310, -2.0),
        (Column("rx_dbm", NOISE, milliwatt=True, scale=1e-4), 0, -40.0),
        (Column("rx_dbm", NOISE, milliwatt=True, scale=1e-4), -1, None),
        (Column("rx_dbm", NOISE, low=11), 10, None),
        (Column("rx_dbm", NOISE, low=11), 11, 11.0),
        (Column("rx_dbm", NOISE, high=-1), 0, None),
        (Column("rx_dbm", NOISE, high=-1), -8, -8.0),
    ],
)
def test_signs_powers_and_what_lies_outside(
    column: Column, raw: int, value: float | None
) -> None:
    assert number(column, raw) == value


LANES = "1.3.6.1.9.20"
FOLDED = {(4, 1): -300, (4, 2): -498, (5, 1): -287, (5, 2): 0}


@pytest.mark.parametrize(
    ("fold", "missing", "wanted"),
    [
        ("least", (0,), [-498, -287]),
        # A part that is not known leaves a sum unknown.
        ("sum", (0,), [-798, None]),
        ("sum", (), [-798, -287]),
        ("single", (), [None, None]),
        ("any", (), [-300, -287]),
    ],
)
def test_many_values_make_one(
    fold: str, missing: tuple[int, ...], wanted: list[float | None]
) -> None:
    table = Table(
        "modules",
        "optics",
        (IndexPart("port", 1),),
        (
            Column("name", NAME, required=True),
            Column("rx_dbm", LANES, scale=0.01, missing=missing, fold=fold),  # type: ignore[arg-type]
        ),
    )
    result = decode_table(table, {NAME: {(4,): b"a", (5,): b"b"}, LANES: FOLDED})
    found = [row.numbers["rx_dbm"] for row in result.rows]
    assert found == [None if value is None else value / 100 for value in wanted]


@pytest.mark.parametrize(
    ("column", "raw", "wanted"),
    [
        (Column("noise_dbm", NAME, offset=-256, low=128), 165, -91.0),
        (Column("channel", NAME, offset=-5000, scale=0.2), 5780, 156.0),
        (Column("band_hz", NAME, low=4900, becomes=5e9), 5780, 5e9),
        (Column("band_hz", NAME, low=4900, becomes=5e9), 2437, None),
        (Column("up", NAME, becomes=1), b"AP1", 1.0),
        (Column("up", NAME, becomes=1), b"", None),
        (
            Column("modulation_qam", NAME, words={"qpsk": 4}, pattern=r"(\d+)"),
            b"QPSK",
            4.0,
        ),
        (
            Column("modulation_qam", NAME, words={"qpsk": 4}, pattern=r"(\d+)"),
            b"256QAM",
            256.0,
        ),
        (
            Column("width_hz", NAME, words={"": 20, "e": 80}, pattern=r"^\d+(E?)$"),
            b"44E",
            80.0,
        ),
        (
            Column("width_hz", NAME, words={"": 20, "e": 80}, pattern=r"^\d+(E?)$"),
            b"44",
            20.0,
        ),
        (
            Column("width_hz", NAME, words={"": 20, "e": 80}, pattern=r"^\d+(E?)$"),
            b"?",
            None,
        ),
        (Column("channel", NAME), b"1e999", None),
        (Column("channel", NAME), b"nan", None),
        (Column("up", NAME, bits=(2,), without_bits=(5,)), b"\x20", 1.0),
        (Column("up", NAME, bits=(2,), without_bits=(5,)), b"\x24", 0.0),
        (Column("up", NAME, bits=(2,), without_bits=(5,)), b"28 2 4", 1.0),
        (Column("up", NAME, bits=(9,)), b"\x00\x40", 1.0),
        (Column("up", NAME, bits=(2,)), b"", 0.0),
        (Column("up", NAME, bits=(2,)), 32, None),
    ],
)
def test_what_values_stand_for(
    column: Column, raw: Value, wanted: float | None
) -> None:
    assert number(column, raw) == wanted


@pytest.mark.parametrize(
    ("parts", "index", "wanted"),
    [
        (
            (IndexPart("ap", 0), IndexPart("radio", 1)),
            (6, 2, 0, 3),
            {"ap": "6.2.0", "radio": "3"},
        ),
        (
            (IndexPart("ap", value="0"), IndexPart("radio", 1)),
            (3,),
            {"ap": "0", "radio": "3"},
        ),
        (
            (IndexPart("ap", value="0"), IndexPart("radio", text=True)),
            (6, 87, 76, 65, 78, 45, 49),
            {"ap": "0", "radio": "WLAN-1"},
        ),
        (
            (IndexPart("ap", value="0"), IndexPart("radio", text=True)),
            (300, 7),
            {"ap": "0", "radio": "300.7"},
        ),
        (
            (IndexPart("ap", 1, value="0"), IndexPart("radio", 1)),
            (9, 3),
            {"ap": "0", "radio": "3"},
        ),
        ((IndexPart("ap", 6), IndexPart("radio", 1)), (9, 3), None),
    ],
)
def test_parts_of_an_index(
    parts: tuple[IndexPart, ...], index: tuple[int, ...], wanted: dict[str, str] | None
) -> None:
    table = Table("radios", "radio", parts, (Column("channel", NAME, required=True),))
    result = decode_table(table, {NAME: {index: 6}})
    assert [row.parts for row in result.rows] == ([] if wanted is None else [wanted])


def test_what_a_better_column_failed_to_tell_the_next_one_does_not() -> None:
    table = Table(
        "points",
        "access_point",
        (IndexPart("ap", 1),),
        (
            Column("name", NAME, required=True),
            Column("up", UP, enumeration={1: 1, 2: 0}),
            Column("up", NAME, becomes=1),
        ),
    )
    names = {NAME: {(1,): b"AP1"}}
    assert decode_table(table, names).rows[0].numbers["up"] == 1
    assert decode_table(table, names, [UP]).rows[0].numbers["up"] is None
