"""Recordings are read whole or refused with every wrong line."""

from __future__ import annotations

from pathlib import Path

import pytest

from collectors.recorded import RecordedLink, parse_recording, read_recording
from netmon.errors import InputError


def test_a_recording_with_wrong_lines_is_refused_with_all_of_them() -> None:
    lines = [
        "1.3.6.1.2.1.1.1.0|4|fine",
        "1.3.6.1.2.1.1.3.0",
        "ifName.1|4|eth0",
        "1.3.6.1.2.1.1.3.0|67|soon",
        "1.3.6.1.2.1.1.1.1|4x|zz",
        "1.3.6.1.2.1.1.1.1|99|x",
        "",
        "# a remark",
    ]
    with pytest.raises(InputError) as caught:
        parse_recording(lines, "test")
    assert [problem.line for problem in caught.value.problems] == [2, 3, 4, 5, 6]


def test_rows_are_sorted_by_number_and_the_last_line_of_an_object_counts() -> None:
    lines = ["1.3.10|2|1", "1.3.9|2|2", "1.3.10|2|3", "1.3.9.1|4|a|b"]
    assert parse_recording(lines, "test") == [
        ((1, 3, 9), "2", b"2"),
        ((1, 3, 9, 1), "4", b"a|b"),
        ((1, 3, 10), "2", b"3"),
    ]


def test_a_long_hexadecimal_value_may_go_on_in_the_next_line() -> None:
    lines = ["1.3.1|4x|436973", "636", "f", "1.3.2|4|x|y", "# a remark"]
    assert parse_recording(lines, "test") == [
        ((1, 3, 1), "4", b"Cisco"),
        ((1, 3, 2), "4", b"x|y"),
    ]
    with pytest.raises(InputError):
        parse_recording(["1.3.2|4|x", "636f"], "test")


async def test_null_objects_are_not_there() -> None:
    link = RecordedLink(parse_recording(["1.3.1|5|", "1.3.2|2|1"], "test"))
    assert await link.get(["1.3.1", "1.3.2"]) == {"1.3.2": 1}


def test_a_file_in_latin1_and_a_file_that_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "old.snmprec"
    path.write_bytes(b"1.3.6.1|4|Stra\xdfe\n")
    ((_, _, value),) = read_recording(path)
    assert value.decode() == "Straße"
    with pytest.raises(InputError, match="No such file"):
        read_recording(tmp_path / "none.snmprec")


def test_all_recordings_can_be_read(recordings: Path) -> None:
    files = sorted(recordings.glob("*.snmprec"))
    assert len(files) > 15
    for file in files:
        assert read_recording(file)
