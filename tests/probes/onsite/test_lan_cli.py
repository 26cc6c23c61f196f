"""``netmon probe lan``: words, JSON, statuses; and what it costs the other commands."""

from __future__ import annotations

import ast
import csv
import inspect
import json
import os
import shutil
import subprocess
import sys
from ipaddress import ip_address

import pytest
from scapy.layers.dot11 import Dot11, Dot11Beacon, Dot11Elt, RadioTap
from scapy.utils import wrpcap

from netmon.cli import build_parser, main, probe_lan
from netmon.cli.lan_output import said
from netmon.model import Device, DeviceKind
from netmon.texts import Texts, catalogue
from probes import onsite
from probes.finding import hint, ok
from probes.onsite import ONSITE, beacons, outlet, planned, sweep, vlan, wire
from probes.onsite.beacons import BeaconOptions
from probes.onsite.dhcp import DhcpOptions
from probes.onsite.outlet import SocketOptions, name_of
from probes.onsite.sweep import SweepOptions
from probes.onsite.vlan import Expected, VlanOptions


@pytest.fixture
def capture(tmp_path):
    file = tmp_path / "air.pcap"
    head = Dot11(
        type=0,
        subtype=8,
        addr1="ff:ff:ff:ff:ff:ff",
        addr2="02:00:00:00:01:01",
        addr3="02:00:00:00:01:01",
    )
    radio = RadioTap(
        present="Channel+dBm_AntSignal",
        ChannelFrequency=2437,
        ChannelFlags=0xA0,
        dBm_AntSignal=-61,
    )
    wrpcap(
        str(file), [radio / head / Dot11Beacon() / Dot11Elt(ID=0, info=b"Schule-DO")]
    )
    return file


def test_every_tool_has_its_command():
    assert tuple(ONSITE) == probe_lan.TOOLS


def test_findings_in_words(capture, capsys):
    planned = capture.with_name("aps")
    planned.write_text("ap-204 02:00:00:00:01:01\nap-205 02:00:00:00:01:02\n")
    status = main(
        ["probe", "lan", "beacons", "--file", str(capture), "--planned", str(planned)]
    )
    printed = capsys.readouterr()
    assert status == 0
    assert printed.out.splitlines() == [
        "OK       ap-204 (02:00:00:00:01:01, Schule-DO): Kanal 6, – MHz, Signal −61 dBm, Beacons: 1",
        "Hinweis  ap-205 ist hier nicht zu hören.",
        "         → Zu weit weg, ausgeschaltet oder auf einem Kanal, der nicht abgehört wurde",
        "OK       Fremde BSSIDs: 0 (nur gezählt)",
    ]
    assert "höchstens 30 s" in printed.err


def test_findings_as_json(capture, capsys):
    status = main(
        ["probe", "lan", "beacons", "--file", str(capture), "--ssid", "x", "--json"]
    )
    printed = capsys.readouterr()
    told = json.loads(printed.out)
    assert (status, printed.err) == (1, "")
    assert (told["tool"], told["ok"]) == ("beacons", False)
    assert [each["finding"] for each in told["findings"]] == ["none", "foreign"]
    assert told["findings"][0]["grade"] == "error"
    assert told["findings"][0]["fix"]
    assert told["findings"][1]["values"] == {"foreign_count": 1}


@pytest.mark.parametrize(
    "wrong",
    [
        ["vlan", "4095"],
        ["vlan", "0"],
        ["vlan", "20=raum"],
        ["vlan"],
        ["dhcp", "--expect", "server"],
        ["dhcp", "--seconds", "100000"],
        ["sweep", "10.7.20.0/24", "--rate", "201"],
        ["sweep", "10.7.20.0/24", "--rate", "9"],
        ["sweep"],
        ["beacons", "--ssid", "x"],
        ["beacons", "--file", "a", "--interface", "b"],
        ["cable"],
    ],
)
def test_wrong_usage(wrong, capsys):
    with pytest.raises(SystemExit) as left:
        build_parser(Texts()).parse_args(["probe", "lan", *wrong])
    assert left.value.code == 2
    assert "Fehler" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["sweep", "10.0.0.0/16"], "höchstens 1.024 Adressen"),
        (["sweep", "raum"], "kein Netz"),
        (
            ["vlan", *map(str, range(1, 66)), "--interface", "eth99"],
            "Mehr als 64 VLANs",
        ),
        (["sweep", "10.0.0.0/24", "--planned", "/none"], "nicht lesbar"),
        (["dhcp", "--interface", "eth99"], "eth99 gibt es hier nicht"),
        (["beacons", "--file", "/none", "--ssid", "x"], "kein lesbarer Mitschnitt"),
    ],
)
def test_what_is_refused_has_its_remedy(arguments, says, capsys):
    if arguments[0] == "sweep":
        arguments = [*arguments, "--interface", "eth99"]
    status = main(["probe", "lan", *arguments])
    printed = capsys.readouterr().out
    assert status == 1
    assert says in printed
    assert "→" in printed


def test_the_way_to_root_is_the_same_command(capsys, monkeypatch):
    """The refusal itself is tried in the lab, with the right really missing."""

    def refuse(_options):
        raise onsite.NotUsableError("no_rights")

    monkeypatch.setitem(ONSITE, "dhcp", onsite.Tool(ONSITE["dhcp"].options, refuse))
    monkeypatch.setattr(sys, "argv", ["/opt/my netmon/netmon", "probe", "lan", "dhcp"])
    assert main(["probe", "lan", "dhcp", "--interface", "eth0"]) == 1
    assert "→ sudo '/opt/my netmon/netmon' probe lan dhcp" in capsys.readouterr().out


def test_without_the_extra_it_says_what_to_install(capture):
    """A finder that knows no scapy is what a probe's own environment is like."""
    code = (
        "import sys\n"
        "sys.modules['scapy'] = None\n"
        "from netmon.cli import main\n"
        f"sys.exit(main(['probe', 'lan', 'beacons', '--file', {str(capture)!r}]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "netmon[onsite]" in done.stdout


@pytest.mark.parametrize(
    "command",
    [
        ["probe", "run", "--config", "/none.toml"],
        ["probe", "doctor", "--config", "/none.toml", "--json"],
        ["probe", "measure", "link"],
        ["--version"],
    ],
)
def test_nothing_else_pays_for_scapy(command):
    code = (
        "import sys\n"
        "from netmon.cli import main\n"
        f"try:\n    main({command!r})\n"
        "except SystemExit:\n    pass\n"
        "found = sorted(n for n in sys.modules if n.split('.')[0] == 'scapy')\n"
        "print(found, 'probes.agent' in sys.modules, file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "NETMON_LANG": "de"},
    )
    last = done.stderr.splitlines()[-1]
    assert last == f"[] {command[1:2] == ['run']}"


def test_devices_of_the_inventory_have_their_addresses():
    def device(name, address):
        return Device(
            id=name, building_id="b", kind=DeviceKind.SWITCH, name=name, address=address
        )

    class Stock:
        devices = (
            device("sw1", "10.7.20.2:161"),
            device("sw2", "[fd00:7::2]:161"),
            device("sw3", "sw3.schule.local:161"),
        )

    found = probe_lan._addresses(Stock())
    assert {str(each): name for each, name in found.items()} == {
        "10.7.20.2": "sw1",
        "fd00:7::2": "sw2",
    }


# --- words -------------------------------------------------------------------


def said_by(module, *functions) -> set[str]:
    """Return the keys that a module names where it makes findings or refuses."""
    return {
        each.value
        for call in ast.walk(ast.parse(inspect.getsource(module)))
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") in functions
        for each in ast.walk(call.args[0])
        if isinstance(each, ast.Constant)
    }


@pytest.mark.parametrize("tool", ONSITE)
def test_every_finding_has_its_words_and_its_remedy(tool):
    known = catalogue("de")
    module = sys.modules[ONSITE[tool].run.__module__]
    for says in said_by(module, "ok", "hint", "error"):
        assert f"onsite.{tool}.{says}" in known
    for says in said_by(module, "hint", "error"):
        assert f"onsite.{tool}.{says}_fix" in known
    for key in known:
        if key.startswith(f"onsite.{tool}.") and not key.endswith("_fix"):
            says = key.rpartition(".")[2]
            assert f'"{says}"' in inspect.getsource(module), "words nobody says"


@pytest.mark.parametrize(
    "module",
    [beacons, outlet, planned, sweep, vlan, wire],
    ids=lambda each: each.__name__,
)
def test_every_refusal_has_its_words_and_its_remedy(module):
    for says in said_by(module, "NotUsableError"):
        assert f"onsite.unusable.{says}" in catalogue("de")
        assert f"onsite.unusable.{says}_fix" in catalogue("de")


def test_vlans_and_channels_have_no_thousands():
    texts = Texts("de")
    assert said(texts, "socket", ok("vlan", vlan=4001)) == "VLAN ohne Tag: 4001"
    assert "VLAN 1002" in said(texts, "vlan", hint("unexpected", vlan=1002))


def test_every_tool_is_documented(repo_dir):
    text = (repo_dir / "docs/betrieb/vor-ort.md").read_text(encoding="utf-8")
    for tool in ONSITE:
        assert f"netmon probe lan {tool}" in text
        assert f"## `{tool}`" in text


@pytest.fixture
def stock(tmp_path, repo_dir):
    """The demo's inventory with one switch that has a name and an address."""
    folder = tmp_path / "inventory"
    shutil.copytree(repo_dir / "netmon/demo/city", folder)
    for extra in [*folder.glob("*.py"), *folder.glob("*.json")]:
        extra.unlink()
    with (folder / "devices.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    switch = next(row for row in rows if row["kind"] == "switch")
    switch |= {"name": "Switch 2", "address": "10.7.20.2:161"}
    with (folder / "devices.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    return folder, switch["id"]


def options_of(*arguments):
    texts = Texts()
    args = build_parser(texts).parse_args(["probe", "lan", *map(str, arguments)])
    return probe_lan._TAKEN[args.tool](args, texts)


def test_the_inventory_names_switches_and_planned_devices(stock):
    folder, switch_id = stock
    options = options_of("socket", "--interface", "eth0", "--inventory", folder)
    assert name_of(switch_id, options.names) == f"Switch 2 ({switch_id})"
    options = options_of(
        "sweep", "10.7.20.0/24", "--interface", "eth0", "--inventory", folder
    )
    assert options.planned[ip_address("10.7.20.2")] == "Switch 2"


def test_the_options_reach_the_tool(tmp_path):
    assert options_of(
        "dhcp", "--interface", "e", "--expect", "10.7.20.1"
    ) == DhcpOptions(interface="e", expected=("10.7.20.1",))
    wishes = (Expected(20), Expected(30, "10.7.30.1"))
    assert options_of("vlan", "20", "30=10.7.30.1", "--interface", "e") == VlanOptions(
        interface="e", expected=wishes
    )
    assert options_of("socket", "--interface", "e") == SocketOptions(interface="e")
    assert options_of("sweep", "10.0.0.0/24", "--interface", "e") == SweepOptions(
        interface="e", network="10.0.0.0/24"
    )
    listed = tmp_path / "aps"
    listed.write_text("ap-204 0200.0000.0101\n")
    assert options_of(
        "beacons", "--interface", "e", "--ssid", "x", "--planned", listed
    ) == BeaconOptions(
        interface="e", ssids=frozenset({"x"}), planned={"02:00:00:00:01:01": "ap-204"}
    )


def test_scapy_leaves_nothing_in_the_home_folder(tmp_path):
    code = "import probes.onsite"
    home = {**os.environ, "HOME": str(tmp_path)}
    for name in ("XDG_CACHE_HOME", "XDG_CONFIG_HOME"):
        home.pop(name, None)
    subprocess.run([sys.executable, "-c", code], check=True, env=home)
    assert [each for each in tmp_path.rglob("*") if each.is_file()] == []


def test_a_capture_needs_no_rights(capture):
    if os.geteuid() == 0 and shutil.which("setpriv") is None:
        pytest.skip("the program setpriv is missing (apt-get install util-linux)")
    drop = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"]
    done = subprocess.run(
        [
            *(drop if os.geteuid() == 0 else []),
            *(sys.executable, "-m", "netmon", "probe", "lan", "beacons"),
            *("--file", str(capture), "--ssid", "Schule-DO"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
