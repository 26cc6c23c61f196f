"""What discovery found becomes a folder; accepted, everything is in order."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from netmon.cli import main
from netmon.demo.agents import ApSpec, Attached, ControllerModel, SwitchModel
from netmon.demo.faults import ApFault
from netmon.inventory import load_folder, write_folder
from netmon.proposal import ChangeKind, Proposal, read_proposal
from netmon.texts import LANGUAGES, catalogue
from netmon.wlan_truth import ApState

from .conftest import HOUR_AND_A_HALF_S, MINUTE_S, School

NEWCOMER = ApSpec("neu", "b1", "GS07-NEU", "CNTEST9999")
HEIR = ApSpec("erbe", "b1", "GS07-ERBE", "CNTEST8888")


def controller(school: School) -> ControllerModel:
    model = school.fleet.model("vc1")
    assert isinstance(model, ControllerModel)
    return model


def switch(school: School) -> SwitchModel:
    model = school.fleet.model("sw1")
    assert isinstance(model, SwitchModel)
    return model


def proposed(school: School) -> Proposal:
    return read_proposal(school.store, school.inventory, school.now_ms)


def kinds(proposal: Proposal) -> list[tuple[ChangeKind, str, str, str]]:
    return [(c.kind, c.what, c.before, c.after) for c in proposal.changes]


def plug(school: School, port: str, spec: ApSpec) -> None:
    controller(school).add_ap(spec)
    switch(school).attach(port, Attached(spec.id, spec.name))
    school.fleet.set_port("sw1", port, oper_up=True)


async def test_what_lldp_taught_is_proposed_and_nothing_else(school: School) -> None:
    assert kinds(proposed(school)) == [
        (ChangeKind.AP_PORT, "GS07-R4", "", "sw1 Gi1/0/24")
    ]


async def test_all_that_was_found_is_accepted_by_an_import(
    school: School, tmp_path: Path
) -> None:
    # One more in a room with a socket, one in place of another, one moved, and a
    # second switch behind the first.
    plug(school, "Gi1/0/11", NEWCOMER)
    controller(school).set_ap("ap2", present=False)
    switch(school).attach("Gi1/0/2", None)
    plug(school, "Gi1/0/2", HEIR)
    switch(school).attach("Gi1/0/3", None)
    switch(school).attach("Gi1/0/21", Attached("ap3", "GS07-R3"))
    school.fleet.set_port("sw1", "Gi1/0/21", oper_up=True)
    switch(school).attach("Te1/0/25", Attached("x", "GS07-SW2.schule.example"))
    devices = (replace(d, ports=None) for d in school.inventory.devices)
    school.take(replace(school.inventory, devices=tuple(devices)))
    await school.poll(after_s=HOUR_AND_A_HALF_S)
    proposal = proposed(school)
    assert kinds(proposal) == [
        (ChangeKind.AP_PORT, "GS07-R4", "", "sw1 Gi1/0/24"),
        (ChangeKind.AP_PORT, "GS07-NEU", "", "sw1 Gi1/0/11"),
        (ChangeKind.AP_MOVED, "GS07-R3", "sw1 Gi1/0/3", "sw1 Gi1/0/21"),
        (ChangeKind.AP_REPLACED, "GS07-R2", "GS07-R2", "GS07-ERBE"),
        (ChangeKind.AP_ADDED, "GS07-NEU", "", "CNTEST9999"),
        (
            ChangeKind.DEVICE_ADDED,
            "GS07-SW2.schule.example",
            "sw1 Te1/0/25",
            "GS07-SW2.schule.example:161",
        ),
        (ChangeKind.DEVICE_PORTS, "SW1", "", "26"),
    ]
    added = next(a for a in proposal.inventory.access_points if a.name == "GS07-NEU")
    assert (added.id, added.room_id, added.controller_id) == ("GS07-NEU", "r1", "vc1")
    heir = proposal.inventory.access_point_by_id["ap2"]
    assert (heir.name, heir.serial, heir.room_id) == ("GS07-ERBE", "CNTEST8888", "r2")
    # Nothing has changed by itself; what is accepted is what was written.
    assert school.of("ap2").state is ApState.REPLACED
    write_folder(proposal.inventory, tmp_path / "neu")
    accepted = load_folder(tmp_path / "neu")
    assert accepted == proposal.inventory
    # The new switch does not exist here, so nobody asks it.
    known = tuple(d for d in accepted.devices if d.id in school.inventory.device_by_id)
    school.take(replace(accepted, devices=known))
    # Until its controller is polled anew the newcomer goes by its old tag.
    assert ChangeKind.AP_ADDED not in [c.kind for c in proposed(school).changes]
    await school.poll(after_s=MINUTE_S)
    assert {point.state for point in school.truth().points} == {ApState.IN_ORDER}
    assert [change.kind for change in proposed(school).changes] == [
        ChangeKind.DEVICE_ADDED
    ]


async def test_what_is_missing_stays_on_the_list(school: School) -> None:
    school.fleet.break_ap("b1", "ap1", ApFault.POWER)
    await school.poll()
    proposal = proposed(school)
    assert (ChangeKind.AP_MISSING, "GS07-R1", "", "") in kinds(proposal)
    assert "ap1" in proposal.inventory.access_point_by_id


async def test_a_port_that_belongs_to_another_is_left_alone(school: School) -> None:
    # Somebody has swapped the cables of a planned one and of one without a port.
    switch(school).attach("Gi1/0/24", None)
    switch(school).attach("Gi1/0/1", Attached("ap4", "GS07-R4"))
    await school.poll(after_s=HOUR_AND_A_HALF_S)
    proposal = proposed(school)
    assert kinds(proposal) == [
        (ChangeKind.PORT_TAKEN, "GS07-R4", "ap1", "sw1 Gi1/0/1"),
    ]
    assert proposal.inventory == school.inventory


async def test_what_draws_power_is_no_switch(school: School) -> None:
    switch(school).attach("Gi1/0/22", Attached("x", "GS07-STILL"))
    school.fleet.set_port("sw1", "Gi1/0/22", oper_up=True)
    await school.poll(after_s=HOUR_AND_A_HALF_S)
    assert (ChangeKind.AP_STRANGE, "GS07-STILL", "sw1 Gi1/0/22", "") in kinds(
        proposed(school)
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_change_has_its_words(language: str) -> None:
    words = catalogue(language)
    assert {f"proposal.change.{kind}" for kind in ChangeKind} == {
        key for key in words if key.startswith("proposal.change.")
    }


@pytest.fixture
def command(
    school: School, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> list[str]:
    monkeypatch.setenv("NETMON_LANG", "de")
    path = tmp_path / "netmon.toml"
    path.write_text(f'data_dir = "{tmp_path}"\n')
    return ["--config", str(path)]


async def test_the_command_writes_a_folder_and_a_list(
    school: School,
    command: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "vorschlag"
    assert main(["inventory", "propose", "--out", str(out), *command]) == 0
    told = capsys.readouterr().out
    assert "GS07-R4: steckt an sw1 Gi1/0/24 (bisher keine Angabe)" in told
    listed = (out / "aenderungen.txt").read_text(encoding="utf-8")
    assert "Grundschule 07 (Demo)" in listed
    assert f"netmon inventory import {out}" in listed
    assert load_folder(out).access_point_by_id["ap4"].switch_port == "Gi1/0/24"
    # A folder that a person may be working in is not written over.
    assert main(["inventory", "propose", "--out", str(out), *command]) == 1
    assert "nicht leer" in capsys.readouterr().err
