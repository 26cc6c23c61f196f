"""The usual poll says what a poll in full says, and notices when it cannot."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.answers import Moved, Values, read_values
from collectors.base import ErrorStatusError, NoReplyError, Timing
from collectors.compare import Before
from collectors.guards import GuardedSession
from collectors.plan import IF_NUMBER
from collectors.recorded import RecordedLink, read_recording
from netmon.clock import ManualClock
from netmon.model import FailureReason
from tests.collectors.on_paper import (
    CISCO,
    CONTROLLER,
    LANCOM,
    MISSING,
    SMARTZONE,
    SWITCH,
    SZ_RADIO,
    Bench,
    planned,
    shown,
)


def all_recordings(folders: Sequence[Path]) -> list[Path]:
    return [path for folder in folders for path in sorted(folder.rglob("*.snmprec"))]


async def test_values_are_what_a_full_reading_says(
    recordings: Path, repo_dir: Path
) -> None:
    """Of every recording: the plan asks less and comes to the same."""
    seen = 0
    for path in all_recordings([recordings, repo_dir / "tests/collectors/data"]):
        clock = ManualClock(datetime(2026, 11, 20, tzinfo=UTC))
        link = RecordedLink(read_recording(path))
        session = GuardedSession(link, clock=clock, timing=Timing(), always_up=False)
        plan, tables = await planned(session, clock)
        values = await read_values(session, plan, clock=clock, budget_s=60.0)
        assert shown(values.tables) == shown(tables), path.name
        seen += 1
    assert seen > 20


@pytest.mark.parametrize("said", [SWITCH, CONTROLLER, SMARTZONE, LANCOM, CISCO])
async def test_values_follow_the_device(said: str) -> None:
    bench = Bench(said)
    plan = await bench.plan()
    changed = (
        said.replace("8.1|2|1", "8.1|2|2")
        .replace("10.2|65|4294967295", "10.2|65|3")
        .replace("15.1|66|0", "15.1|66|1000")
        .replace("0.2|2|1", "0.2|2|2")
        .replace("|2|7\n", "|2|9\n")
        .replace("AP 1", "AP new name")
    )
    assert changed != said
    bench.say(changed)
    values = await bench.values(plan)
    _, tables = await planned(bench.session, bench.clock)
    assert shown(values.tables) == shown(tables)
    assert values.uptime_ticks == 100000


# Of a switch the types of its interfaces are structure, and its VLAN is left out.
NUMBERS = [
    line
    for line in (SWITCH + CONTROLLER + SMARTZONE + LANCOM + CISCO).splitlines()
    if "|4|" not in line
    and not line.startswith(("1.3.6.1.2.1.2.2.1.3.", "1.3.6.1.2.1.2.2.1.8.3"))
]
FATES = st.sampled_from(["", "0", "1", "2", "5", "7", "100", "90000"])


@given(fates=st.dictionaries(st.sampled_from(NUMBERS), FATES, max_size=4))
@settings(deadline=None, max_examples=200)
@pytest.mark.parametrize(
    "said",
    [SWITCH, CONTROLLER, SMARTZONE, LANCOM, CISCO],
    ids=["switch", "controller", "asked by name", "two tables", "by channel"],
)
async def test_a_plan_says_the_same_or_less_or_asks_in_full(
    said: str, fates: dict[str, str]
) -> None:
    """Whatever numbers change or vanish: never another number, row or completeness."""
    bench = Bench(said)
    plan = await bench.plan()
    lines = []
    for line in said.splitlines():
        fate = fates.get(line)
        if fate is None or line.startswith("1.3.6.1.2.1.1."):
            lines.append(line)
        elif fate:
            lines.append(f"{line.rpartition('|')[0]}|{fate}")
    bench.say("\n".join(lines))
    try:
        values = await bench.values(plan)
    except Moved:
        return
    _, tables = await planned(bench.session, bench.clock)
    full = {table.name: table for table in tables}
    for table in values.tables:
        told = full[table.name]
        assert table.complete == told.complete, table.name
        assert [r.parts for r in table.rows] == [r.parts for r in told.rows]
        for row, other in zip(table.rows, told.rows, strict=True):
            for name, number in row.numbers.items():
                assert number in (None, other.numbers[name]), (table.name, name)


async def test_names_of_a_switch_are_not_asked_again() -> None:
    bench = Bench(SWITCH)
    plan = await bench.plan()
    await bench.values(plan)
    assert not [oid for oid in bench.asked if oid.startswith("1.3.6.1.2.1.31.1.1.1.1.")]
    # One counter a port and way, where the plan found it, and none of the VLAN.
    columns = ("1.3.6.1.2.1.2.2.1.10.", "1.3.6.1.2.1.31.1.1.1.6.")
    counters = [oid for oid in bench.asked if oid.startswith(columns)]
    assert counters == ["1.3.6.1.2.1.31.1.1.1.6.1", "1.3.6.1.2.1.2.2.1.10.2"]


async def test_a_vanished_access_point_is_missing_and_no_surprise() -> None:
    bench = Bench(CONTROLLER)
    plan = await bench.plan()
    bench.say(
        "\n".join(line for line in CONTROLLER.splitlines() if "0.0.2" not in line)
    )
    values = await bench.values(plan)
    points, radios = values.tables[:2]
    assert [row.words["name"] for row in points.rows] == ["AP 1"]
    assert points.complete
    assert radios.complete


async def test_access_points_that_change_their_table() -> None:
    lines = [line for line in LANCOM.splitlines() if "2.0.0.0.0.2.1|" not in line]
    missing = "\n".join([*lines, f"{MISSING}.3.2.0.0.0.0.2|4|AP 2"])
    bench = Bench(LANCOM)
    plan = await bench.plan()
    bench.say(missing)
    values = await bench.values(plan)
    points = next(table for table in values.tables if table.result == "access_point")
    assert points.complete
    ups = {row.words["name"]: row.numbers["up"] for row in points.rows}
    assert ups == {"AP 1": 1.0, "AP 2": 0.0}
    plan = await bench.plan()
    bench.say(LANCOM)
    with pytest.raises(Moved, match="wlc_radios has a new row"):
        await bench.values(plan)


async def test_radios_that_no_walk_shows_are_asked_by_name() -> None:
    bench = Bench(SMARTZONE)
    plan, tables = await planned(bench.session, bench.clock)
    radios = next(table for table in tables if table.name == "sz_radios")
    assert [row.parts["radio"] for row in radios.rows] == ["0", "1", "0"]
    under = [oid for oid in bench.asked if f"{oid}.".startswith(f"{SZ_RADIO}.")]
    assert min(oid.count(".") for oid in under) > SZ_RADIO.count(".") + 1
    # Of a radio that did not say its channel nothing else is asked.
    assert len(under) == 2 * 3 + 4 * 3
    assert len(under) == len(set(under))
    bench.asked.clear()
    await bench.values(plan)
    under = [oid for oid in bench.asked if oid.startswith(f"{SZ_RADIO}.")]
    # No access point has a third radio, none says a width, a power or a noise.
    assert len(under) == 2 * 2 * 2


async def test_radios_asked_by_name_come_last_and_cost_nothing_else() -> None:
    bench = Bench(SMARTZONE)
    plan = await bench.plan()
    whole = await bench.values(plan)
    bench.broken = {f"{SZ_RADIO}.10.6.2.0.0.0.0.1.0": NoReplyError("no reply")}
    values = await bench.values(plan)
    changed = [
        table.name
        for table, other in zip(values.tables, whole.tables, strict=True)
        if table != other
    ]
    assert changed == ["sz_radios"]


async def test_a_radio_that_comes_or_goes_is_no_surprise() -> None:
    bench = Bench(SMARTZONE)
    plan = await bench.plan()
    gone = [f"{SZ_RADIO}.10.6.2.0.0.0.0.1.1|", f"{SZ_RADIO}.41.6.2.0.0.0.0.1.1|"]
    lines = [
        line for line in SMARTZONE.splitlines() if not line.startswith(tuple(gone))
    ]
    bench.say("\n".join([*lines, f"{SZ_RADIO}.10.6.2.0.0.0.0.2.1|2|44"]))
    values = await bench.values(plan)
    radios = next(table for table in values.tables if table.name == "sz_radios")
    assert radios.complete
    assert [row.numbers["channel"] for row in radios.rows] == [6.0, 11.0, 44.0]


@pytest.mark.parametrize(
    ("said", "more", "what"),
    [
        (CONTROLLER, f"{CONTROLLER.splitlines()[2][:-9]}0.0.3|4|AP 3", "new row"),
        (SWITCH, f"{IF_NUMBER}|2|4", "has changed"),
    ],
    ids=["access point", "interface"],
)
async def test_what_is_new_asks_for_the_structure(
    said: str, more: str, what: str
) -> None:
    bench = Bench(said)
    plan = await bench.plan()
    bench.say(f"{said}{more}\n")
    with pytest.raises(Moved, match=what):
        await bench.values(plan)


async def test_a_link_that_comes_and_goes_is_seen_at_every_poll() -> None:
    """A station table has no row while the other end is away (airFiber LTU)."""
    system = """\
1.3.6.1.2.1.1.2.0|6|1.3.6.1.4.1.10002.1
1.3.6.1.2.1.1.3.0|67|4200
1.3.6.1.2.1.2.2.1.3.1|2|6
1.3.6.1.2.1.2.2.1.8.1|2|1
"""
    rate, level = (f"1.3.6.1.4.1.41112.1.10.1.4.1.{n}.2.0.0.0.0.1" for n in (4, 5))
    link = f"{system}{rate}|2|444800\n{level}|2|-57\n"

    def seen(values: Values) -> list[float | None]:
        (table,) = [t for t in values.tables if t.name == "airfiber_ltu"]
        assert table.complete
        assert table.none_is_down
        return [row.numbers["rx_level_dbm"] for row in table.rows]

    bench = Bench(link)
    plan = await bench.plan()
    assert seen(await bench.values(plan)) == [-57.0]
    # Only the column that tells whether there is one is walked.
    assert rate.removesuffix(".2.0.0.0.0.1") in bench.asked
    assert level in bench.asked
    bench.say(system)
    assert seen(await bench.values(plan)) == []
    plan = await bench.plan()
    bench.say(link)
    with pytest.raises(Moved):
        await bench.values(plan)


async def test_a_lost_port_asks_for_the_structure() -> None:
    bench = Bench(SWITCH)
    plan = await bench.plan()
    bench.say(SWITCH.replace("1.3.6.1.2.1.2.2.1.8.2|2|2\n", ""))
    with pytest.raises(Moved, match="lost a row"):
        await bench.values(plan)


async def test_a_restart_asks_for_the_structure() -> None:
    bench = Bench(SWITCH)
    plan = await bench.plan()
    before = Before(bench.clock.monotonic_s(), 100000)
    bench.clock.advance(60)
    bench.say(SWITCH.replace("|100000\n", "|106000\n"))
    assert (await bench.values(plan, before)).failure is None
    bench.say(SWITCH.replace("|100000\n", "|500\n"))
    with pytest.raises(Moved, match="restarted"):
        await bench.values(plan, before)


async def test_an_error_status_asks_for_the_structure() -> None:
    bench = Bench(SWITCH)
    plan = await bench.plan()
    bench.broken = {"1.3.6.1.2.1.2.2.1.8.2": ErrorStatusError("no")}
    with pytest.raises(Moved):
        await bench.values(plan)


async def test_silence_at_the_first_question_is_a_failed_device() -> None:
    bench = Bench(SWITCH)
    plan = await bench.plan()
    bench.broken = {"1.3.6.1.2.1.1.3.0": NoReplyError("no reply")}
    values = await bench.values(plan)
    assert (values.failure, values.tables) == (FailureReason.NO_REPLY, [])


async def test_silence_later_costs_only_the_tables() -> None:
    bench = Bench(CONTROLLER)
    plan = await bench.plan()
    bench.broken = {plan.walks[0].oid: NoReplyError("no reply")}
    values = await bench.values(plan)
    assert values.failure is None
    assert [table.complete for table in values.tables[:2]] == [False, False]
    assert len(bench.asked) < 20


async def test_what_failed_in_the_full_reading_is_tried_again() -> None:
    bench = Bench(CONTROLLER)
    name = "1.3.6.1.4.1.14823.2.3.3.1.2.1.1.2"
    bench.broken = {name: ErrorStatusError("no")}
    plan = await bench.plan()
    assert not (await bench.values(plan)).tables[0].complete
    bench.broken = {}
    points = (await bench.values(plan)).tables[0]
    assert [row.words["name"] for row in points.rows] == ["AP 1", "AP 2"]
    assert points.complete


async def test_a_plan_remembers_nothing_of_endpoints() -> None:
    """Beside its neighbours a switch names whatever is plugged in."""
    lldp = "1.0.8802.1.1.2.1.4.1.1"
    told = "".join(
        f"{lldp}.5.0.{n}.1|4|chassis-{name}\n{lldp}.7.0.{n}.1|4|port-{name}\n"
        f"{lldp}.9.0.{n}.1|4|{name}\n{lldp}.12.0.{n}.1|4x|{bits}\n"
        f"1.3.6.1.2.1.17.1.4.1.2.{n}|2|{n}\n"
        for n, name, bits in ((1, "switch-2", "20"), (2, "laptop-of-a-teacher", "01"))
    )
    plan = await Bench(SWITCH + told).plan()
    assert "switch-2" in repr(plan)
    assert "laptop" not in repr(plan)
