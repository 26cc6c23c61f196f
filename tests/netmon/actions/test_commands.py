"""What is refused, with the field, and that a refusal writes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

import pytest

from alerts.rules import RULES
from netmon.actions import commands
from netmon.actions.checks import parse_matcher
from netmon.actions.errors import ActionError, Refusal
from netmon.actions.history import history
from netmon.alarm_classes import SEVERITY_OF
from netmon.clock import to_ms
from netmon.inventory import load_folder
from netmon.model import Inventory
from netmon.school_calendar import Weekday
from netmon.storage.action_records import (
    Actor,
    AuditAction,
    MaintenanceScope,
    MatchField,
    OneOff,
    Via,
    Weekly,
)
from netmon.storage.records import AlarmState, MailEvent, Transition
from netmon.storage.sqlite import SqliteStore
from netmon.texts import LANGUAGES, Texts, catalogue

NOW_MS = to_ms(datetime(2026, 11, 20, 7, 12, tzinfo=UTC))
DAY_MS = 24 * 3_600_000
ANNA = Actor("anna", Via.API)
BY: dict[str, Any] = {"actor": ANNA, "now_ms": NOW_MS}
ONCE = OneOff(starts_ms=NOW_MS, ends_ms=NOW_MS + DAY_MS)
HERE = (MaintenanceScope.BUILDING, "gs-07")


@pytest.fixture(scope="module")
def inventory(repo_dir: Path) -> Inventory:
    return load_folder(repo_dir / "netmon/demo/city")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    opened = SqliteStore(tmp_path / "state.sqlite3")
    yield opened
    opened.close()


def _weekly(**more: Any) -> Weekly:
    fields: dict[str, Any] = {
        "days": (Weekday.MO,),
        "start": time(22),
        "end": time(4),
        "first": date(2026, 11, 20),
        "last": date(2027, 3, 31),
    }
    return Weekly(**fields | more)


def _faults(error: pytest.ExceptionInfo[ActionError]) -> list[tuple[str | None, str]]:
    # Every refusal must be told in every language.
    for language in LANGUAGES:
        for one in error.value.faults:
            assert one.text(Texts(language))
            assert one.fix(Texts(language))
    return [(one.field, one.code) for one in error.value.faults]


@pytest.mark.parametrize(
    ("place", "when", "reason", "faults"),
    [
        (("building", "x"), ONCE, "Umbau", [("value", "no_building")]),
        (("campus_district", "x"), ONCE, "Umbau", [("value", "no_campus_district")]),
        (("provider", "x"), ONCE, "Umbau", [("value", "no_provider")]),
        (HERE, ONCE, "  ", [("reason", "empty")]),
        (HERE, ONCE, "a" * 501, [("reason", "too_long")]),
        (HERE, ONCE, "a\r\nBcc: b", [("reason", "control")]),
        (HERE, OneOff(starts_ms=5, ends_ms=5), "U", [("when.ends_at", "order")]),
        (HERE, OneOff(starts_ms=5, ends_ms=6), "U", [("when.ends_at", "past")]),
        (
            HERE,
            OneOff(starts_ms=NOW_MS, ends_ms=NOW_MS + 401 * DAY_MS),
            "U",
            [("when.ends_at", "too_far")],
        ),
        (
            HERE,
            OneOff(starts_ms=0, ends_ms=NOW_MS + DAY_MS),
            "U",
            [("when.starts_at", "long_ago")],
        ),
        (HERE, _weekly(days=()), "U", [("when.days", "no_days")]),
        (HERE, _weekly(last=date(2026, 1, 1)), "U", [("when.last", "order")]),
        (HERE, _weekly(last=date(9999, 12, 31)), "U", [("when.last", "too_far")]),
        (HERE, _weekly(first=date(1, 1, 1)), "U", [("when.first", "long_ago")]),
        (HERE, _weekly(start=time(22, 0, 1)), "U", [("when.start", "no_minute")]),
        (HERE, _weekly(end=time(4, tzinfo=UTC)), "U", [("when.end", "no_minute")]),
        (HERE, _weekly(last=date(2026, 11, 21)), "U", [("when", "never")]),
        (
            HERE,
            _weekly(first=date(2026, 11, 9), last=date(2026, 11, 15)),
            "U",
            [("when.last", "past")],
        ),
        (
            HERE,
            _weekly(excluded=(date(2026, 12, 24),) * 401),
            "U",
            [("when.excluded", "too_many")],
        ),
        (("building", "x"), ONCE, "", [("value", "no_building"), ("reason", "empty")]),
    ],
)
def test_a_window_that_is_refused(store, inventory, place, when, reason, faults):
    where = (MaintenanceScope(place[0]), place[1])
    with pytest.raises(ActionError) as refused:
        commands.add_maintenance(store, inventory, where, when, reason, **BY)
    assert refused.value.kind is Refusal.INVALID
    assert _faults(refused) == faults
    assert store.actions.maintenance() == store.actions.audit() == []


@pytest.mark.parametrize(
    ("matchers", "days", "faults"),
    [
        ([], 1, [("matchers", "matchers")]),
        (["rule=x"], 1, [("matchers.0.value", "no_rule")]),
        (["rule=ap_down", "severity!=x"], 1, [("matchers.1.value", "no_severity")]),
        (["target=x"], 1, [("matchers.0.value", "target")]),
        (["building=x"], 1, [("matchers.0.value", "no_building")]),
        (["rule=ap_down"], 91, [("ends_at", "too_far")]),
    ],
)
def test_a_silence_that_is_refused(store, inventory, matchers, days, faults):
    wanted = [parse_matcher(text) for text in matchers]
    span = (NOW_MS, NOW_MS + days * DAY_MS)
    with pytest.raises(ActionError) as refused:
        commands.add_silence(store, inventory, wanted, span, "bekannt", **BY)
    assert _faults(refused) == faults
    assert store.actions.silences() == store.actions.audit() == []


@pytest.mark.parametrize("text", ["rule", "colour=red", "=x", "rule!x"])
def test_no_matcher(text):
    with pytest.raises(ActionError) as refused:
        parse_matcher(text)
    assert _faults(refused) == [("matchers", "no_matcher")]


def test_before_an_inventory_every_place_may_be_named(store):
    empty = Inventory(buildings=())
    found = commands.add_maintenance(store, empty, HERE, ONCE, " Umbau ", **BY)
    assert (found.reason, found.author, found.ends_ms) == (
        "Umbau",
        "anna",
        ONCE.ends_ms,
    )


def test_what_is_not_there_or_over_is_told_apart(store, inventory):
    window = commands.add_maintenance(store, inventory, HERE, ONCE, "Umbau", **BY)
    commands.cancel_maintenance(store, window.id, **BY)
    fit = [parse_matcher("rule=ap_down")]
    span = (NOW_MS, NOW_MS + DAY_MS)
    silence = commands.add_silence(store, inventory, fit, span, "bekannt", **BY)
    commands.end_silence(store, silence.id, **BY)
    for attempt, kind, code in [
        (
            lambda: commands.cancel_maintenance(store, window.id, **BY),
            "conflict",
            "maintenance_over",
        ),
        (
            lambda: commands.cancel_maintenance(store, 99, **BY),
            "not_found",
            "unknown_maintenance",
        ),
        (
            lambda: commands.end_silence(store, silence.id, **BY),
            "conflict",
            "silence_over",
        ),
        (lambda: commands.end_silence(store, 99, **BY), "not_found", "unknown_silence"),
        (
            lambda: commands.acknowledge(store, 99, "n", **BY),
            "not_found",
            "unknown_incident",
        ),
        (
            lambda: commands.unacknowledge(store, 99, **BY),
            "not_found",
            "unknown_incident",
        ),
        (
            lambda: commands.mark_false(store, 99, "n", **BY),
            "not_found",
            "unknown_incident",
        ),
        (
            lambda: commands.revoke_operator(store, "x", **BY),
            "not_found",
            "unknown_operator",
        ),
        (lambda: commands.add_operator(store, "a b", "h", **BY), "invalid", "operator"),
    ]:
        with pytest.raises(ActionError) as refused:
            attempt()
        assert refused.value.kind == kind
        assert [found for _, found in _faults(refused)] == [code]


def _change(store: SqliteStore, before: str, after: str, at: int, incident: int | None):
    change = Transition(
        id=0,
        rule="line_down",
        target="line:gs-07-main",
        building_id="gs-07",
        from_state=AlarmState(before),
        to_state=AlarmState(after),
        at_ms=NOW_MS + at,
        incident_id=incident,
        evidence=b"{}",
    )
    stored = store.alarms.commit([], [change], reader="alerts", position=0, now_ms=0)
    return stored[0].incident_id


def test_the_story_of_an_incident_and_only_of_that_one(store):
    by = {"actor": ANNA}
    _change(store, "ok", "suspect", -9000, None)
    earlier = _change(store, "suspect", "bad", -8000, -1)
    _change(store, "bad", "ok", -7000, earlier)
    _change(store, "ok", "suspect", 0, None)
    number = _change(store, "suspect", "bad", 60_000, -1)
    commands.acknowledge(store, number, "Techniker", now_ms=NOW_MS + 120_000, **by)
    _change(store, "bad", "ok", 180_000, number)
    with pytest.raises(ActionError) as refused:
        commands.acknowledge(store, number, "noch mal", now_ms=NOW_MS, **by)
    assert _faults(refused) == [(None, "not_open")]
    with pytest.raises(ActionError) as refused:
        commands.unacknowledge(store, earlier, now_ms=NOW_MS, **by)
    assert _faults(refused) == [(None, "not_acknowledged")]
    commands.mark_false(store, number, "Sonde aus", now_ms=NOW_MS + 240_000, **by)
    found = history(store, commands.incident_or_refuse(store, number), Texts("de"))
    assert [((x.at_ms - NOW_MS) // 60_000, x.text) for x in found] == [
        (0, "Zustand: In Ordnung → Auffällig"),
        (1, "Zustand: Auffällig → Gestört"),
        (2, "anna (Schnittstelle): quittiert: Techniker"),
        (3, "Zustand: Gestört → In Ordnung"),
        (4, "anna (Schnittstelle): als Fehlalarm vermerkt: Sonde aus"),
    ]


def test_every_rule_can_be_named_and_is_as_bad_as_it_says():
    assert {rule.name: rule.severity for rule in RULES.values()}.items() <= (
        SEVERITY_OF.items()
    )


def test_every_closed_list_has_its_words():
    for language in LANGUAGES:
        words = catalogue(language)
        for group, members in {
            "actions.audit": AuditAction,
            "actions.via": Via,
            "actions.mail_event": MailEvent,
            "actions.scope": MaintenanceScope,
            "actions.weekday": Weekday,
        }.items():
            for member in members:
                assert words[f"{group}.{member.value}"]
        for kind in set(MatchField) - {MatchField.TARGET}:
            assert words[f"actions.fault.no_{kind}.text"]
