"""A small good inventory folder, and ways to spoil it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from netmon.errors import InputError
from netmon.inventory import load_folder
from tests.command import run_command

GOOD = {
    "buildings.csv": """\
id,name,school_type,street,postcode,city,campus_district,city_district,latitude_deg,longitude_deg,lan,wlan,pupils,classes,rack_room
g1,Grundschule Eins,Grundschule,Weg 1,44137,Dortmund,Campus 1,Hörde,51.51,7.46,full,partial,200,8,
g2,"Realschule Zwei, Haus A",Realschule,Weg 2,44139,Dortmund,Campus 2,Eving,51.52,7.47,full,full,,,Keller
""",
    "schools.csv": """\
id,name,school_type,building_ids
100001,Schule Eins,Grundschule,g1
100002,Schule Zwei,Realschule,g2 g1
""",
    "lines.csv": """\
id,building_id,role,technology,contracted_down,contracted_up,provider,checked_on,fibre_planned_on,segments
l1,g1,main,vdsl,250 Mbit/s,40 Mbit/s,Netz,2025-10-01,2026-12-31,
l2,g2,main,fibre,1 Gbit/s,1 Gbit/s,Netz,,,b1
l3,g2,backup,radio,100 Mbit/s,100 Mbit/s,Funk,,,f1 b1
""",
    "devices.csv": """\
id,building_id,kind,name,address,platform,credential,model,room,ports
c1,g1,controller,wc,10.0.0.1:161,aruba_instant,default,,,
s1,g2,switch,sw,[fd00::1]:161,,,,,48
c0,,controller,zentral,wlan.example:161,,,,,
""",
    "rooms.csv": """\
id,building_id,name,floor,teaching
r1,g1,Raum 1,EG,true
r2,g2,Raum 2,EG,false
""",
    "access_points.csv": """\
id,building_id,name,controller_id,model,serial,room_id
a1,g1,ap01,c1,,,r1
a2,g2,ap02,c0,,,
""",
    "probes.csv": """\
id,building_id,line_id
p1,g1,l1
""",
    "segments.csv": """\
id,kind,capacity,name
b1,backbone,10 Gbit/s,Ring Nord
f1,radio_hop,400 Mbit/s,
""",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that loads without a problem."""
    path = tmp_path / "inventory"
    path.mkdir()
    for name, text in GOOD.items():
        (path / name).write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def replace_in(folder: Path) -> Callable[[str, str, str], None]:
    """Replace a text that occurs exactly once in a file of the folder."""

    def replace(name: str, old: str, new: str) -> None:
        path = folder / name
        text = path.read_text(encoding="utf-8")
        assert text.count(old) == 1, (old, text)
        path.write_text(text.replace(old, new), encoding="utf-8")

    return replace


@pytest.fixture
def refusals(folder: Path) -> Callable[[], list[str]]:
    """Load the folder, which must be refused, and return the problems' texts."""

    def load() -> list[str]:
        with pytest.raises(InputError) as caught:
            load_folder(folder)
        return [str(problem) for problem in caught.value.problems]

    return load


@pytest.fixture
def inventory_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., int]:
    """Run ``netmon inventory ...`` in-process with a state store of its own."""
    monkeypatch.setenv("NETMON_DATA", str(tmp_path / "var"))
    return partial(run_command, "inventory")
