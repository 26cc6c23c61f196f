"""Platform files: the shipped ones are sound, a wrong one says what is wrong."""

from __future__ import annotations

import pytest

from collectors.platforms import Platforms, load_platforms, parse_platforms
from netmon.errors import ConfigError

GOOD = """\
name: good
fallback: true
facts:
  - {name: name, oid: 1.3.6.1.2.1.1.5.0}
tables:
  - name: ports
    result: port
    index: [{part: port, length: 1}]
    columns:
      - {field: oper_up, oid: 1.3.6.1.2.1.2.2.1.8, enumeration: {1: 1, 2: 0}, required: true}
"""


def problems(texts: dict[str, str]) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        parse_platforms(texts)
    return [str(problem) for problem in caught.value.problems]


def test_the_good_file_is_good() -> None:
    assert parse_platforms({"good.yaml": GOOD}).names == ["good"]


def test_shipped_platforms_load_and_choose_by_object_id() -> None:
    platforms = load_platforms()
    assert platforms.names == [
        "airfiber_60",
        "airfiber_ltu",
        "aruba_aos10",
        "aruba_instant",
        "arubaos",
        "cambium_epmp",
        "cambium_ptp",
        "ceragon",
        "cisco_wlc",
        "draytek",
        "dsl_mib",
        "entity_sensors",
        "extreme_xos",
        "hiveos",
        "huawei_vrp",
        "if_mib",
        "juniper",
        "lancom_lcos",
        "lancom_lcos_lx",
        "line_device",
        "mikrotik",
        "mimosa",
        "procurve",
        "ruckus",
        "ruckus_ap",
        "saf_cfip",
        "saf_cfm",
        "saf_freemile_60",
        "saf_integra",
        "siklu",
        "ubiquiti_ltu",
        "ubiquiti_radio",
        "ubiquiti_wave",
        "unifi",
        "zyxel_ap",
        "zyxel_nxc",
    ]
    aruba = "1.3.6.1.4.1.14823.1.2"
    assert platforms.choose(f"{aruba}.59", "ArubaOS").name == "aruba_instant"
    assert platforms.choose(aruba, "").name == "aruba_instant"
    # 14823.1.1 are controllers of another family, .23 is not a child of .2.
    assert platforms.choose("1.3.6.1.4.1.14823.1.1.59", "").name == "arubaos"
    assert platforms.choose(f"{aruba}3.1", "").name == "if_mib"
    assert platforms.choose("", "").name == "if_mib"
    # What carries a line is asked about its medium, whatever it is.
    assert platforms.choose("", "", line=True).name == "line_device"
    assert platforms.choose(aruba, "", line=True).name == "aruba_instant"


def test_a_platform_has_the_tables_it_extends() -> None:
    aruba = load_platforms().get("aruba_instant")
    assert [table.result for table in aruba.tables] == [
        "access_point",
        "radio",
        "network",
        "port",
        "poe",
        "neighbour",
        "bridge_port",
        "local_port",
    ]
    # Its own fact wins over the one it inherits.
    assert [f.oid for f in aruba.facts if f.name == "name"] == [
        "1.3.6.1.4.1.14823.2.3.3.1.1.2.0"
    ]


# Tables with a row for each client, or for each address learnt at a port.
CLIENT_TABLES = {
    "aiClientTable": "1.3.6.1.4.1.14823.2.3.3.1.2.4",
    "wlsxUserTable": "1.3.6.1.4.1.14823.2.2.1.4.1.2",
    "wlsxWlanStationTable": "1.3.6.1.4.1.14823.2.2.1.5.2.2",
    "bsnMobileStationTable": "1.3.6.1.4.1.14179.2.1.4",
    "bsnMobileStationStatsTable": "1.3.6.1.4.1.14179.2.1.6",
    "cldcClientTable": "1.3.6.1.4.1.9.9.599.1.3",
    "HUAWEI-WLAN-STATION-MIB": "1.3.6.1.4.1.2011.6.139.18",
    "ruckusZDWLANStaTable": "1.3.6.1.4.1.25053.1.2.2.1.1.3",
    "ruckusSZ clients": "1.3.6.1.4.1.25053.1.4.2.1.1.3",
    "ruckusCTRLApClientTable": "1.3.6.1.4.1.25053.1.8.1.1.1.1.9",
    "ruckusCTRLApWiredClientTable": "1.3.6.1.4.1.25053.1.8.1.1.1.1.11",
    "ruckusCTRLClientTable": "1.3.6.1.4.1.25053.1.8.1.1.1.2.8",
    "ahClientTable": "1.3.6.1.4.1.26928.1.1.1.2.1.2",
    "wlanStationTable (Zyxel)": "1.3.6.1.4.1.890.1.15.3.5.2",
    "stations (LCOS)": "1.3.6.1.4.1.2356.11.1.3.44",
    "stations (LCOS), older": "1.3.6.1.4.1.2356.11.1.3.32",
    "stations (LCOS, WLC)": "1.3.6.1.4.1.2356.11.1.73.100",
    "stations (LCOS LX)": "1.3.6.1.4.1.2356.13.1.3.32",
    "stations (LCOS LX), by channel": "1.3.6.1.4.1.2356.13.1.3.4.1",
    "dot1dTpFdbTable": "1.3.6.1.2.1.17.4.3",
    "dot1qTpFdbTable": "1.3.6.1.2.1.17.7.1.2.2",
    "ipNetToMediaTable": "1.3.6.1.2.1.4.22",
    "ipNetToPhysicalTable": "1.3.6.1.2.1.4.35",
    "lldpRemManAddrTable": "1.0.8802.1.1.2.1.4.2",
    "ubntStaTable, addresses": "1.3.6.1.4.1.41112.1.4.7.1.1",
    "mtxrWlRtabTable": "1.3.6.1.4.1.14988.1.1.1.2",
}


@pytest.mark.parametrize("table", CLIENT_TABLES)
def test_no_table_of_clients_is_ever_asked(table: str) -> None:
    """Clients are counted; who they are is nobody's business."""
    root = CLIENT_TABLES[table]
    for name in load_platforms().names:
        platform = load_platforms().get(name)
        asked = [column.oid for each in platform.tables for column in each.columns]
        asked += [fact.oid for fact in platform.facts]
        assert not [
            oid
            for oid in asked
            if f"{oid}.".startswith(f"{root}.") or f"{root}.".startswith(f"{oid}.")
        ]


def test_the_longest_prefix_wins_and_a_description_can_decide() -> None:
    def platform(name: str, match: str) -> str:
        return GOOD.replace("name: good", f"name: {name}", 1).replace(
            "fallback: true", f"match: {match}"
        )

    platforms: Platforms = parse_platforms(
        {
            "good.yaml": GOOD,
            "short.yaml": platform("short", "{sys_object_id: [1.3.6.1.4.1.9]}"),
            "long.yaml": platform("long", "{sys_object_id: [1.3.6.1.4.1.9.1]}"),
            "words.yaml": platform("words", "{sys_descr: 'LCOS-LX'}"),
        }
    )
    assert platforms.choose("1.3.6.1.4.1.9.1.5", "").name == "long"
    assert platforms.choose("1.3.6.1.4.1.9.2", "").name == "short"
    assert platforms.choose("1.3.6.1.4.1.7", "LANCOM LCOS-LX 6.1").name == "words"
    assert platforms.choose("1.3.6.1.4.1.7", "anything").name == "good"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "fallback: true",
            "fallback: true\nvendor: X",
            "good.yaml [vendor]: there is no such key"
            " -> see collectors/platform_model.py for names and types",
        ),
        (
            "result: port",
            "result: antenna",
            "good.yaml [tables[0].result]: is none of the values that can be chosen"
            " -> use one of access_point, alias, bridge_port, controller, dsl, entity,"
            " if_poe, local_port, module, neighbour, network, optics, poe, port, radio,"
            " radio_link, sensor, vap",
        ),
        (
            "field: oper_up",
            "field: noise_dbm",
            "good.yaml [tables[0].columns[0].field]: 'noise_dbm' is no field of port"
            " -> use name, alias, type, oper_up, admin_up, speed_bps, full_duplex, poe_on,"
            " poe_w, in_octets_total, out_octets_total, in_errors_total,"
            " out_errors_total",
        ),
        (
            "oid: 1.3.6.1.2.1.2.2.1.8",
            "oid: ifOperStatus",
            "good.yaml [tables[0].columns[0].oid]: 'ifOperStatus' is no object id"
            " -> write 1.3.6.1...",
        ),
        (
            "required: true",
            "required: false",
            "good.yaml [tables[0].columns]: has no required column, so nobody can"
            " tell whether it was read whole -> mark one as required",
        ),
        (
            "part: port",
            "part: slot",
            "good.yaml [tables[0].index]: does not have the parts of port -> give port",
        ),
        (
            "length: 1",
            "length: -1",
            "good.yaml [tables[0].index]: has a wrong length -> count anew",
        ),
        (
            "{1: 1, 2: 0}",
            "{1: 1, 2: 0}, scale: 0",
            "good.yaml [tables[0].columns[0].scale]: is 0 -> give a factor",
        ),
        (
            "field: oper_up, ",
            "field: alias, ",
            "good.yaml [tables[0].columns[0]]: is text and takes no scale, enumeration"
            " or missing -> remove them",
        ),
        (
            "required: true",
            "required: true, pattern: '('",
            "good.yaml [tables[0].columns[0].pattern]: is no pattern: missing ),"
            " unterminated subpattern at position 0 -> mend it",
        ),
        (
            "required: true",
            "required: true, pattern: '\\d+'",
            "good.yaml [tables[0].columns[0].pattern]: has 0 groups -> use 1",
        ),
        (
            "result: port",
            "result: port\n    keep: {field: type, values: [6]}",
            "good.yaml [tables[0].keep.field]: has no column -> add the column",
        ),
        (
            "result: port",
            "result: port\n    max_repetitions: 0",
            "good.yaml [tables[0].max_repetitions]: is under 1 -> use 1 or more",
        ),
        (
            "{name: name, oid",
            "{name: contact, oid",
            "good.yaml [facts[0].name]: is unknown"
            " -> use descr, firmware, model, name, serial",
        ),
        (
            "fallback: true",
            "fallback: true\nfallback: true",
            "good.yaml:3: fallback twice -> mend the YAML",
        ),
        (
            "fallback: true",
            "fallback: true\nextends: [nobody]",
            "good.yaml [extends[0]]: 'nobody' is no platform -> name one",
        ),
        (
            "fallback: true",
            "fallback: false",
            "good.yaml [fallback]: 0 platforms are the fallback -> mark one",
        ),
        (
            "required: true",
            "required: true, milliwatt: true",
            "good.yaml [tables[0].columns[0].milliwatt]: makes dBm"
            " -> use a field in dBm",
        ),
        (
            "required: true",
            "required: true, fold: single, suffix: [1]",
            "good.yaml [tables[0].columns[0]]: is told twice how to find its row"
            " -> give one of suffix, fold, at, sole and by",
        ),
        (
            "required: true}",
            "required: true}\n      - {field: name, oid: 1.3.6.1.2.1, by: type}",
            "good.yaml [tables[0].columns[1].by]: 'type' is no field of a column"
            " before this one -> name one",
        ),
        (
            "result: port",
            "result: port\n    ends: [0]",
            "good.yaml [tables[0].rows_of]: needs ends, and ends need it -> give both",
        ),
        (
            "result: port",
            "result: port\n    rows_of: nobody\n    ends: [0]",
            "good.yaml [tables[0].rows_of]: 'nobody' is no table before this one"
            " -> name one",
        ),
        (
            "name: good",
            "name: better",
            "good.yaml [name]: differs from the file's name -> rename one",
        ),
    ],
)
def test_a_wrong_file_is_refused_in_words(old: str, new: str, message: str) -> None:
    assert old in GOOD
    assert problems({"good.yaml": GOOD.replace(old, new, 1)}) == [message]


def test_one_fallback_for_lines_is_enough() -> None:
    other = GOOD.replace("name: good", "name: other", 1)
    texts = {
        "good.yaml": GOOD.replace(
            "fallback: true", "fallback: true\nline_fallback: true"
        ),
        "other.yaml": other.replace("fallback: true", "line_fallback: true"),
    }
    assert problems(texts) == [
        "good.yaml, other.yaml [line_fallback]: 2 platforms are the line_fallback"
        " -> mark one"
    ]


def test_all_problems_of_all_files_are_named_at_once() -> None:
    bad = GOOD.replace("name: good", "name: bad", 1).replace("fallback: true\n", "")
    texts = {
        "good.yaml": GOOD.replace("length: 1", "length: -1"),
        "bad.yaml": bad.replace("oid: 1.3.6.1.2.1.1.5.0", "oid: x"),
    }
    assert len(problems(texts)) == 2


def test_a_table_name_may_stand_once_in_what_is_extended() -> None:
    child = GOOD.replace("name: good", "name: child", 1).replace(
        "fallback: true", "extends: [good]"
    )
    assert problems({"good.yaml": GOOD, "child.yaml": child}) == [
        "child.yaml [tables]: 'ports' stands twice -> rename one"
    ]


@pytest.mark.parametrize(
    ("object_id", "descr", "name"),
    [
        ("1.3.6.1.4.1.9.1.1069", "Cisco Controller", "cisco_wlc"),
        ("1.3.6.1.4.1.9.1.2861", "Cisco IOS Software, C9800 Software", "cisco_wlc"),
        ("1.3.6.1.4.1.9.1.2494", "Cisco IOS Software, Catalyst L3", "if_mib"),
        ("1.3.6.1.4.1.890.1.15", "NXC5500", "zyxel_nxc"),
        ("1.3.6.1.4.1.890.1.15", "NWA1123-AC PRO", "zyxel_ap"),
        ("1.3.6.1.4.1.890.1.15", "USG FLEX 200", "if_mib"),
        ("1.3.6.1.4.1.8072.3.2.10", "U6-Pro 6.5.28.14491", "unifi"),
        ("1.3.6.1.4.1.8072.3.2.10", "Linux server 6.1", "if_mib"),
        ("1.3.6.1.4.1.17713.7", "", "cambium_ptp"),
        ("1.3.6.1.4.1.17713.21", "", "cambium_epmp"),
        ("1.3.6.1.4.1.2356.13.8.0.10", "", "lancom_lcos_lx"),
        ("1.3.6.1.4.1.2356.11.8.313", "LANCOM OAP-1700B 10.72", "lancom_lcos"),
        ("1.3.6.1.4.1.2356.600.6.310", "LANCOM L-310agn 8.60", "lancom_lcos"),
        ("1.3.6.1.4.1.25053.3.1.4.71", "Ruckus Wireless Inc (C) 2006", "ruckus_ap"),
        ("1.3.6.1.4.1.25053.3.1.4.117", "Ruckus Wireless R550", "ruckus"),
        ("1.3.6.1.4.1.25053.3.1.5.15", "Ruckus Wireless ZD1200", "ruckus"),
        ("1.3.6.1.4.1.25053.3.1.5.20", "Ruckus Wireless T300", "ruckus"),
        ("1.3.6.1.4.1.25053.3.1.10", "SmartZone", "ruckus"),
        ("1.3.6.1.4.1.2011.2.240.17", "Huawei AC6605 V200R019", "huawei_vrp"),
    ],
)
def test_families_that_share_an_object_id(
    object_id: str, descr: str, name: str
) -> None:
    assert load_platforms().choose(object_id, descr).name == name
