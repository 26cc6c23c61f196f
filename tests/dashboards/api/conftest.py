"""The whole API on a socket: something behind every operation, and who may call it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import uvicorn
from fastapi import FastAPI

from netmon.config import MeasureServerSettings, MeasureSettings, Settings
from netmon.ingest import token_hash
from netmon.login_settings import LoginSettings
from netmon.model import (
    AccessPoint,
    Coverage,
    Device,
    DeviceKind,
    FailureReason,
    Inventory,
    ProbeUnit,
    Room,
    School,
    SchoolType,
)
from netmon.storage.account_records import Role, Session
from netmon.storage.action_records import Actor, Via
from netmon.storage.records import AlarmState, SourceKind
from tests.city import a_building, a_line

ADMIN = Actor("root", Via.SHELL)


@dataclass(frozen=True)
class Keys:
    """What opens the API: a session's cookie, an operator's and a probe's token."""

    session: str = "a-session-of-leitstelle"
    csrf: str = "x" * 32
    operator: str = "the token of an operator"
    probe: str = "the token of a probe"

    def headers(self, scheme: str) -> dict[str, str]:
        """Return the headers of a security scheme of the description."""
        return {
            "session": {"Cookie": f"netmon={self.session}"},
            "operatorToken": {"Authorization": f"Bearer {self.operator}"},
            "senderToken": {"Authorization": f"Bearer {self.probe}"},
        }[scheme]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A login is required, and slots are given out."""
    key_file = tmp_path / "measure.key"
    key_file.write_text("k" * 64 + "\n")
    server = MeasureServerSettings("m1", "127.0.0.1:1", "1 Gbit/s", 1)
    return Settings(
        login=LoginSettings(required=True),
        measure=MeasureSettings(key_file=str(key_file), servers=(server,)),
    )


def _inventory() -> Inventory:
    """Two buildings with the ids that the description's examples name."""
    school, other = "gs-07", "gym-02"
    return Inventory(
        buildings=(
            a_building(
                school,
                name="Grundschule am Beispielweg",
                street="Beispielweg 7",
                campus_district="Asseln",
                pupils=260,
                classes=12,
                wlan=Coverage.PARTIAL,
            ),
            a_building(other, name="Gymnasium Mitte", campus_district="Mitte"),
        ),
        schools=(
            School(
                id="123456",
                name="Grundschule am Beispielweg",
                school_type=SchoolType.GRUNDSCHULE,
                building_ids=(school,),
            ),
        ),
        lines=(a_line(school, 250), a_line(other, 1000)),
        devices=(
            Device(
                id="wlc-1",
                building_id=school,
                kind=DeviceKind.CONTROLLER,
                name="Controller",
                address="127.0.0.1:161",
            ),
            Device(
                id="sw-07",
                building_id=school,
                kind=DeviceKind.SWITCH,
                name="Switch 1",
                address="127.0.0.1:162",
                ports=24,
            ),
        ),
        access_points=(
            AccessPoint(
                id="gs-07-ap1",
                building_id=school,
                name="AP 1",
                controller_id="wlc-1",
                room_id="gs-07-101",
            ),
        ),
        rooms=(
            Room(
                id="gs-07-101",
                building_id=school,
                name="101",
                floor="1. OG",
                teaching=True,
            ),
        ),
        probes=(ProbeUnit(id="gs-07-p1", building_id=school, line_id="gs-07-main"),),
    )


@pytest.fixture
def full_city(city):
    """A small city with a bit of everything that the API tells of."""
    city.adopt(_inventory())
    city.test(
        "gs-07",
        (3600, {"rate_down_bps": 241.0, "cross_down_bps": 5.0}),
        (60, FailureReason.TIMEOUT),
    )
    city.throughput("gs-07", (7200, (243.5, 38.25)), (10_800, FailureReason.REFUSED))
    city.latency("gs-07", (60, 12.0))
    city.access_point("gs-07", "gs-07-ap1", 17)
    tags = {"device": "wlc-1", "ap": "gs-07-ap1", "radio": "1"}
    said = {"channel": 36.0, "utilisation_ratio": 0.25, "clients_count": 17.0}
    city.write("wlan_radio", "gs-07", tags, (60, said))
    city.write(
        "device", "gs-07", {"device": "sw-07"}, (60, {"up": 1.0, "uptime_s": 9e5})
    )
    city.line_state("gs-07", AlarmState.BAD)
    over = city.line_state("gym-02", AlarmState.BAD, age_s=7200)
    city.end_incident(over, "line_below_target", "line:gym-02-main", "gym-02")
    city.all_alive()
    return city


@pytest.fixture
def keys(full_city) -> Keys:
    """All three, known to the store."""
    city = full_city
    made, store = Keys(), city.store
    store.actions.add_operator(
        "leitstelle", token_hash(made.operator), ADMIN, city.now_ms
    )
    store.sources.create("gs-07-p1", SourceKind.PROBE, "gs-07", token_hash(made.probe))
    session = Session(
        name="leitstelle",
        role=Role.OPERATE,
        campus_district=None,
        account_id=None,
        csrf=made.csrf,
        created_ms=city.now_ms,
        used_ms=city.now_ms,
    )
    store.accounts.begin(token_hash(made.session), session, 0)
    return made


@pytest.fixture
async def url(app: FastAPI, keys: Keys) -> AsyncIterator[str]:
    """The API on a free port; the fixture `app` has opened it already."""
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(
        uvicorn.Config(app, lifespan="off", log_level="critical", ws="none")
    )
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.should_exit = True
    await serving
    listening.close()
