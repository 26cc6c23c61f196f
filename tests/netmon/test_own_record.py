"""What netmon says of itself in the time-series database."""

from __future__ import annotations

from threading import Event

import pytest

from dashboards.views import Verdict
from netmon.clock import SystemClock
from netmon.errors import SendError
from netmon.metrics import KINDS
from netmon.own_metrics import OWN_KINDS, STANDINGS
from netmon.own_record import (
    OwnRecord,
    render_records,
    standing_values,
    write_once,
    writing_own_records,
)
from netmon.storage.tsdb import SinkHealth

LINE = {"building": "gs-07", "line": "gs-07-main", "role": "main", "technology": "vdsl"}


class _Sink:
    """Keeps bodies; the first ``refusals`` are not taken."""

    def __init__(self, refusals: int = 0) -> None:
        self.bodies: list[bytes] = []
        self.refusals = refusals
        self.taken = Event()

    def write(self, body: bytes) -> None:
        if self.refusals > 0:
            self.refusals -= 1
            raise SendError("away", permanent=False)
        self.bodies.append(body)
        self.taken.set()

    def health(self) -> SinkHealth:
        return SinkHealth(None, {})

    def close(self) -> None:
        """Nothing is open."""


def test_a_record_is_one_line_with_its_source_and_only_what_is_known() -> None:
    record = OwnRecord("line", LINE, {"standing": 10, "contracted_up_bps": None})
    assert render_records([record], 1_000) == (
        b"line,building=gs-07,line=gs-07-main,role=main,source=netmon,technology=vdsl "
        b"standing=10.0 1000000000\n"
    )


def test_yes_and_no_are_numbers_for_a_database_adds_them_up() -> None:
    record = OwnRecord(
        "polled_device", {"building": "b", "device": "d"}, {"answering": True}
    )
    assert b" answering=1.0 " in render_records([record], 1)


def test_empty_tags_are_left_out_and_made_up_data_is_marked() -> None:
    tags = {"sender": "p", "sender_kind": "probe", "building": "", "agent": ""}
    text = render_records([OwnRecord("sender", tags, {"silent": 1}, generated=True)], 1)
    assert text.startswith(
        b"sender,generated=1,sender=p,sender_kind=probe,source=netmon "
    )


@pytest.mark.parametrize(
    ("tags", "values"),
    [
        ({"building": "b"}, {"answering": 1}),
        ({"building": "b", "device": "d", "room": "r"}, {"answering": 1}),
        ({"building": "b", "device": "d"}, {"answering": 2}),
    ],
)
def test_what_is_not_in_the_catalogue_is_an_error(
    tags: dict[str, str], values: dict[str, float]
) -> None:
    with pytest.raises(ValueError, match="polled_device"):
        render_records([OwnRecord("polled_device", tags, values)], 1)


def test_every_verdict_of_the_pages_has_a_standing_worst_first() -> None:
    assert [verdict.value for verdict in Verdict] == list(STANDINGS)
    assert list(STANDINGS.values()) == sorted(set(STANDINGS.values()))
    for word in STANDINGS:
        values = standing_values(word)
        assert values.pop("standing") == STANDINGS[word]
        assert [name for name, value in values.items() if value] == [f"is_{word}"]


def test_no_sender_can_claim_what_only_netmon_says() -> None:
    assert not KINDS.keys() & OWN_KINDS.keys()


def test_nothing_to_say_writes_nothing() -> None:
    sink = _Sink()
    assert write_once(sink, lambda _: [], 1) == 0
    assert sink.bodies == []


def test_a_database_that_is_away_is_tried_again() -> None:
    sink = _Sink(refusals=2)
    record = OwnRecord("line", LINE, {"standing": 80})
    with writing_own_records(sink, lambda _: [record], SystemClock(), every_s=0.001):
        assert sink.taken.wait(10)
    assert sink.bodies[0].startswith(b"line,")
