"""The senders: who is silent, whose clock, spool or port is in the way; sorted."""

from __future__ import annotations

import pytest


@pytest.fixture
def fleet(city, clock):
    """One that is well, one with every trouble, one that never spoke, a collector."""
    for name, building, values in (
        ("b-ost-p1", "b-ost", (3.0, 0.0, 0.0, 1e9, 1.0)),
        ("b-z9-p1", "b-z9", (1234.0, 7.0, 2.0, 1e8, 0.0)),
    ):
        records, dropped, rejected, speed, duplex = values
        city.source(name, building)
        city.write(
            "probe_health",
            building,
            {"probe": name},
            (
                30,
                {
                    "spool_records_count": records,
                    "spool_dropped_total": dropped,
                    "spool_rejected_total": rejected,
                },
            ),
            source=name,
        )
        city.write(
            "probe_link",
            building,
            {"probe": name},
            (60, {"speed_bps": speed, "full_duplex": duplex}),
            source=name,
        )
    tags = {"line": "b-z9-main", "method": "tcp-adaptive/2"}
    said = {"rate_down_bps": 4e7, "cpu_steal_ratio": 0.12, "probe_late_s": 0.04}
    said["loopback_ceiling_bps"] = 9.4e8
    city.write("throughput", "b-z9", tags, (90, said), source="b-z9-p1")
    city.source("b-leer-p1", "b-leer")
    city.write("wlan_ap", "b-ost", {"device": "wlc-1", "ap": "ost-1"}, (9, {"up": 1.0}))
    return city


def names(page) -> list[str]:
    rows = page.rows("Alle Sender") if page.all("table") else {}
    return [name.removesuffix("Messsonde").removesuffix("Sammler") for name in rows]


async def test_port_limits_and_certificate(fleet, page):
    rows = (await page("/sonden")).rows("Alle Sender")
    well = rows["b-ost-p1Messsonde"]
    assert well["Port der Sonde"] == "1.000 Mbit/sVollduplex"
    assert well["Nachweis der Sonde"] == "–"
    ill = rows["b-z9-p1Messsonde"]
    assert ill["Port der Sonde"] == "100 Mbit/sHalbduplexPort begrenzt"
    assert ill["Verworfen"] == "72 abgelehnt"
    assert "Rechenzeit zu 12 % entzogen" in ill["Nachweis der Sonde"]
    assert "höchstens 940 Mbit/s" in ill["Nachweis der Sonde"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["b-leer-p1", "b-ost-p1", "b-z9-p1", "sammler"]),
        ("?kind=collector", ["sammler"]),
        ("?contact=never", ["b-leer-p1"]),
        ("?contact=heard&kind=probe", ["b-ost-p1", "b-z9-p1"]),
        ("?trouble=spool", ["b-z9-p1"]),
        ("?trouble=port", ["b-z9-p1"]),
        ("?trouble=silent", ["b-leer-p1"]),
        ("?trouble=clock", []),
        ("?q=schule+9", ["b-z9-p1"]),
        ("?q=&kind=&contact=&trouble=&sort=", 4),
        ("?sort=-spool&kind=probe", ["b-z9-p1", "b-ost-p1", "b-leer-p1"]),
        ("?sort=spool&kind=probe", ["b-ost-p1", "b-z9-p1", "b-leer-p1"]),
        ("?sort=last_seen", ["b-leer-p1", "b-ost-p1", "b-z9-p1", "sammler"]),
        ("?sort=speed&kind=probe", ["b-z9-p1", "b-ost-p1", "b-leer-p1"]),
        ("?sort=nonsense", 4),
    ],
)
async def test_filters_and_order(fleet, page, query, found):
    shown = names(await page(f"/sonden{query}"))
    assert len(shown) == found if isinstance(found, int) else shown == found


async def test_a_sender_falls_silent_and_a_clock_runs_away(fleet, page, clock):
    clock.advance(4000)
    assert names(await page("/sonden?contact=silent")) == [
        "b-ost-p1",
        "b-z9-p1",
        "sammler",
    ]
    late = fleet.store.sources.by_token("hash of b-ost-p1")
    assert late is not None
    assert late.clock_offset_ms == 1500
    assert names(await page("/sonden?trouble=clock")) == []
