"""Netmon's own conclusions as records for the time-series database."""

from __future__ import annotations

from dashboards.facts import Moment
from dashboards.own import device_records, process_records, sender_record
from netmon.config import Settings, TsdbSettings
from netmon.model import FailureReason, Inventory
from netmon.storage.records import Heartbeat, Latest, SeriesRef, Source, SourceKind

NOW_MS = 1_790_000_000_000
MOMENT = Moment(NOW_MS, 10_800.0)


def _polled(device: str, minutes_ago: float, failure: FailureReason | None) -> Latest:
    at_ms = NOW_MS - round(minutes_ago * 60_000)
    return Latest(
        series=SeriesRef(
            id=1,
            kind="device",
            building_id="gs-07",
            tags={"building": "gs-07", "device": device},
            source="collector",
            generated=False,
        ),
        ts_ms=at_ms,
        received_ms=at_ms,
        ok_ts_ms=None if failure else at_ms,
        values={} if failure else {"up": 1.0},
        failure=failure,
        info={},
    )


def test_the_newest_attempt_says_whether_a_device_answers() -> None:
    polled = [
        _polled("sw1", 9, None),
        _polled("sw1", 4, FailureReason.NO_REPLY),
        _polled("sw2", 9, FailureReason.NO_REPLY),
        _polled("sw2", 4, None),
        # Nobody has asked it for an hour: nothing is known.
        _polled("sw3", 60, None),
    ]
    found = {
        record.tags["device"]: record.values["answering"]
        for record in device_records(polled, Inventory(buildings=()), MOMENT)
    }
    assert found == {"sw1": False, "sw2": True}


def test_a_sender_that_never_spoke_is_silent_for_no_known_time() -> None:
    source = Source(
        id=1, name="p", kind=SourceKind.PROBE, building_id="gs-07", generated=False
    )
    assert sender_record(source, NOW_MS).values == {
        "silence_s": None,
        "silent": True,
        "clock_offset_s": None,
    }


def test_a_needed_part_without_a_sign_of_life_is_named() -> None:
    beats = [
        Heartbeat(
            process="relay",
            at_ms=NOW_MS - 5_000,
            figures={"backlog_chunks": 7.0, "send_errors_total": 1.0},
            note="",
        ),
        Heartbeat(process="sink-webhook", at_ms=NOW_MS - 9_000, figures={}, note=""),
    ]
    settings = Settings(tsdb=TsdbSettings(url="http://db.invalid"))
    found = {
        record.tags["process"]: record.values
        for record in process_records(beats, settings, NOW_MS)
    }
    assert found["relay"] == {
        "silent": False,
        "silence_s": 5.0,
        "waiting_count": 7.0,
        "errors_count": 1.0,
    }
    assert found["ingest"]["silent"] is True
    assert found["ingest"]["silence_s"] is None
    # Nothing says how often it must speak.
    assert found["sink-webhook"]["silent"] is None
