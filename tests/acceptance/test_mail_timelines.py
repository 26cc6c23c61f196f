"""Timelines of whole evenings, mornings and storms: which mails, when, to whom.

Incidents are written as the engine writes them; what is shown is the planner on a real
store, with an own clock. Every timeline runs with one notifier, and with a new one at
each evaluation.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.acceptance.mail_town import BUILDINGS, FRIDAY, MANAGER, NOC, SERVICE, Town


@pytest.fixture(params=[False, True], ids=["one notifier", "restarted each time"])
def town(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Town]:
    made = Town(tmp_path, restarting=request.param)
    yield made
    first: dict[tuple[int | None, str], str] = {}
    for mail in made.mails():
        if mail.thread_id is None:
            continue
        known = first.setdefault((mail.thread_id, mail.recipient), mail.message_id)
        answered = "" if known == mail.message_id else known
        assert mail.in_reply_to == answered, (
            "every mail answers the first of its thread"
        )
    made.store.close()


def test_a_storm_and_its_end(town: Town) -> None:
    everything = range(1, BUILDINGS + 1)
    numbers = town.lines("line_down", *everything, look=False)
    numbers += town.raised(
        *(
            ("ap_down", f"ap:b-{n}-ap-{k}", f"b-{n}")
            for n in everything
            for k in (1, 2, 3)
        )
    )
    what = "[Störung] core, 178 von 178 Gebäuden – Anbindungen ausgefallen und"
    assert town.told() == [
        ("20. 08:00", NOC, f"{what} weitere Störungen seit 08:00 Uhr"),
        ("20. 08:00", SERVICE, f"{what} weitere Störungen seit 08:00 Uhr"),
    ]
    text = " ".join(town.mails()[0].text.split())
    assert "Anbindungen ausgefallen: 178, Access Points ausgefallen: 534" in text
    town.at("08:30")
    town.over(*numbers[:500])
    town.at("08:45")
    town.over(*numbers[500:])
    assert [(at, who) for at, who, _ in town.told()[2:]] == [
        ("20. 08:45", NOC),
        ("20. 08:45", SERVICE),
    ]
    assert town.told()[-1][2].startswith("[Entstört] core, 178 von 178 Gebäuden")
    assert town.told()[-1][2].endswith("Dauer 45 Min.")


def test_buildings_behind_one_radio_hop_are_told_in_the_night(town: Town) -> None:
    town.at("23:00", every_s=3600)
    town.lines("no_data", 3)
    town.at("23:05")
    assert town.told() == []
    town.lines("no_data", 14)
    assert town.told() == [
        (
            "20. 23:05",
            SERVICE,
            "[Störung] Richtfunk Nord, 2 von 3 Gebäuden – Anbindungen nicht gemessen "
            "seit 23:00 Uhr",
        )
    ]
    text = " ".join(town.mails()[0].text.split())
    assert "hinter „Richtfunk Nord“" in text
    assert "Zurzeit ist dort kein Unterricht." in text


def test_what_came_to_flap_is_told_once(town: Town) -> None:
    (number,) = town.lines("no_data", 3)
    (row,) = town.store.alarms.states()
    town.store.alarms.commit(
        [replace(row, flapping=True)], [], reader="a", position=1, now_ms=town.now_ms
    )
    town.at("11:00")
    subject = "[Störung, Ergänzung] Schule 3, Weg 3 – Anbindung nicht gemessen, "
    flapping = f"{subject}wechselt ständig seit 08:00 Uhr"
    told = [mail for mail in town.told()[2:] if "Ergänzung" in mail[2]]
    assert told == [
        ("20. 08:05", MANAGER, flapping),
        ("20. 08:05", SERVICE, flapping),
    ]
    town.over(number)
    assert town.told()[-1][2].startswith("[Entstört]")


def test_how_far_a_large_thread_is(town: Town) -> None:
    numbers = town.raised(*(("ap_down", f"ap:b-3-{n}", "b-3") for n in range(20)))
    town.at("08:30")
    town.over(*numbers[1:])
    town.at("09:30")
    subject = "[Teilweise entstört] Schule 3, Weg 3 – noch offen: Access Point"
    assert [(at, who) for at, who, what in town.told() if subject in what] == [
        ("20. 08:45", MANAGER),
        ("20. 08:45", SERVICE),
    ]
    assert town.told()[-1][2].endswith("19 von 20 behoben")
    town.over(numbers[0])
    assert [what[:10] for _, _, what in town.told()[4:]] == ["[Entstört]"] * 2


def test_maintenance_ends_and_it_is_still_bad(town: Town) -> None:
    town.in_maintenance("b-3", FRIDAY + timedelta(hours=2))
    (bad,) = town.lines("line_down", 3)
    (good,) = town.raised(("ap_down", "ap:b-3-ap-1", "b-3"))
    town.at("09:30")
    town.over(good)
    town.at("09:59")
    assert town.told() == []
    town.at("10:00")
    subject = "[Störung] Schule 3, Weg 3 – Anbindung ausgefallen seit 08:00 Uhr"
    assert town.told() == [
        ("20. 10:00", MANAGER, subject),
        ("20. 10:00", NOC, subject),
        ("20. 10:00", SERVICE, subject),
    ]
    text = " ".join(town.mails()[0].text.split())
    assert "erst jetzt, weil bis 10:00 Uhr eine Wartung" in text
    town.at("10:20")
    town.over(bad)
    assert [who for at, who, _ in town.told()[3:] if at == "20. 10:20"] == [
        MANAGER,
        NOC,
        SERVICE,
    ]


def test_reminded_escalated_acknowledged_and_over(town: Town) -> None:
    (number,) = town.lines("no_data", 3)
    town.at("10:30")
    what = "Schule 3, Weg 3 – Anbindung nicht gemessen"
    assert town.told() == [
        ("20. 08:00", MANAGER, f"[Störung] {what} seit 08:00 Uhr"),
        ("20. 08:00", SERVICE, f"[Störung] {what} seit 08:00 Uhr"),
        ("20. 09:00", MANAGER, f"[Erinnerung] {what} seit 08:00 Uhr"),
        ("20. 09:00", SERVICE, f"[Erinnerung] {what} seit 08:00 Uhr"),
        ("20. 10:00", NOC, f"[Eskalation] {what} seit 08:00 Uhr"),
    ]
    town.acknowledge(number)
    town.at("11:00", day="2026-11-24", every_s=1800)
    # Acknowledged is not forgotten: the digest of each school day lists it.
    assert [at for at, _, subject in town.told()[5:] if "Lagebericht" in subject] == [
        "23. 07:00",
        "23. 07:00",
        "24. 07:00",
        "24. 07:00",
    ]
    assert len(town.told()) == 9
    town.over(number)
    assert {who for at, who, _ in town.told()[9:] if at == "24. 11:00"} == {
        MANAGER,
        SERVICE,
        NOC,
    }


def test_an_incident_of_the_night_is_told_in_the_morning_and_ends_in_its_thread(
    town: Town,
) -> None:
    town.at("20:00", day="2026-11-23", every_s=6 * 3600)
    (still, gone) = town.lines("line_below_target", 3, 4)
    town.at("22:00", day="2026-11-23", every_s=3600)
    town.over(gone)
    town.at("06:59", day="2026-11-24", every_s=3600)
    assert town.told() == []
    town.at("07:00", day="2026-11-24")
    assert town.told() == [
        ("24. 07:00", SERVICE, "[Lagebericht] 24.11.2026 – offen: 1"),
        ("24. 07:00", MANAGER, "[Lagebericht] 24.11.2026, Campusbezirk 3 – offen: 1"),
    ]
    whole, own = (" ".join(mail.text.split()) for mail in town.mails())
    assert "Schule 4, Weg 4: Anbindung unter Soll" in whole
    assert "Dauer 2 Std. 0 Min." in whole
    assert "Schule 4" not in own
    town.at("08:30", day="2026-11-24")
    assert len(town.told()) == 2  # told already, lessons or not
    town.over(still)
    subject = "[Entstört] Schule 3, Weg 3 – Anbindung unter Soll, Dauer 12 Std. 30 Min."
    assert sorted(town.told()[2:]) == [
        ("24. 08:30", MANAGER, subject),
        ("24. 08:30", SERVICE, subject),
    ]


def test_first_day_of_the_summer_holidays(town: Town) -> None:
    town.at("10:00", day="2027-07-19", every_s=7 * 86400)
    (waits,) = town.raised(("ap_down", "ap:b-3-ap-1", "b-3"))
    town.at("10:15", day="2027-07-19")
    assert town.told() == []
    (line,) = town.lines("line_down", 3)
    assert [(at, who) for at, who, _ in town.told()] == [
        ("19. 10:15", MANAGER),
        ("19. 10:15", NOC),
        ("19. 10:15", SERVICE),
    ]
    town.at("10:30", day="2027-07-19")
    town.over(line)
    town.at("06:00", day="2027-09-01", every_s=86400)
    assert len(town.told()) == 6
    town.at("07:00", day="2027-09-01")
    assert [(at, who) for at, who, _ in town.told()[6:]] == [
        ("01. 07:00", SERVICE),
        ("01. 07:00", MANAGER),
        ("01. 07:00", NOC),
    ]
    # The NOC hears of a gap in the data, the others of the access point as well.
    town.over(waits)
    assert {who for _, who, _ in town.told()[9:]} == {MANAGER, SERVICE}
    assert len(town.told()) == 11


def test_contracts_below_the_target_are_told_once(town: Town) -> None:
    town.lines("below_by_contract", *range(1, 60))
    subject = "[Hinweis] 59 Gebäude in 11 Campusbezirken – Verträge unter dem Ziel"
    assert town.told() == [("20. 08:00", SERVICE, subject)]
    town.at("08:00", day="2026-12-20", every_s=86400)
    assert len(town.told()) == 1
