"""All addresses that somebody who is logged in may ask for."""

from __future__ import annotations

from dashboards.app import ROUTERS

# What stands in for the parameters of addresses.
FILLED = {
    "building_id": "gs-07",
    "number": "1",
    "plot": "rates",
    "year": "2026",
    "name": "json",
}


def kept_addresses() -> list[str]:
    """Return every address that may be asked for with GET behind a guard."""
    found = []
    for router, guard in ROUTERS:
        for route in router.routes:
            is_actions = getattr(route, "tags", None) == ["actions"]
            if (guard or is_actions) and "GET" in getattr(route, "methods", ()):
                found.append(route.path)
    return found


ADDRESSES = kept_addresses()
