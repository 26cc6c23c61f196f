"""The coverage of a building in words, for the terminal and the page."""

from __future__ import annotations

from netmon.coverage import FULL_SHARE, BuildingCoverage, Measured, RoomCoverage
from netmon.model import Inventory
from netmon.texts import Texts
from netmon.wlan_truth import WlanTruth


def figure_text(what: str, figure: Measured, texts: Texts) -> str:
    """Return the figure in words; ``what`` is ``lan`` or ``wlan``."""
    if not figure.has_list:
        return texts(f"coverage_figure.no_list.{what}")
    if not figure.rooms_count:
        return texts("coverage_figure.no_rooms")
    key = "open" if figure.open_count else "known"
    if figure.open_count == figure.rooms_count:
        key = "unknown"
    return texts(
        f"coverage_figure.{what}.{key}",
        covered=figure.covered_count,
        total=figure.rooms_count,
        open=figure.open_count,
        share=texts.percent(figure.low_share, 0),
    )


def verdict_text(figure: Measured, texts: Texts) -> str:
    """Return measured and declared class side by side, and if they contradict."""
    key = "contradiction" if figure.contradicts else "beside"
    return texts(
        f"coverage_figure.{key}",
        measured=texts(f"coverage_figure.class.{figure.measured}"),
        declared=texts(f"coverage.{figure.declared}"),
    )


def room_text(
    room: RoomCoverage, truth: WlanTruth | None, texts: Texts
) -> tuple[str, str]:
    """Return what is known of a room's LAN and WLAN."""
    lan = texts(
        "coverage_figure.room.sockets"
        if room.sockets_count
        else "coverage_figure.room.no_sockets",
        total=room.sockets_count,
        live=room.live_count,
        linked=room.linked_count,
    )
    if room.open_count:
        lan += texts("coverage_figure.room.open", n=room.open_count)
    if room.astray_count:
        lan += texts("coverage_figure.room.astray", n=room.astray_count)
    points = []
    for ap in room.points:
        known = truth.by_ap.get(ap) if truth else None
        state = "" if known is None else texts(f"wlan.state.{known.state}")
        points.append(f"{ap}: {state}" if state else ap)
    wlan = ", ".join(points) or texts("coverage_figure.room.no_points")
    if room.room.survey is not None:
        wlan += ", " + texts(f"coverage_figure.survey.{room.room.survey}")
    return lan, wlan


def coverage_text(
    coverage: BuildingCoverage,
    truth: WlanTruth,
    inventory: Inventory,
    texts: Texts,
) -> str:
    """Return a building's coverage room by room."""
    building = inventory.building_by_id[coverage.building_id]
    lines = [
        texts("inventory.building.title", name=building.name, id=building.id),
        *(
            f"{what}: {verdict_text(figure, texts)}. "
            f"{figure_text(what.lower(), figure, texts)}."
            for what, figure in (("LAN", coverage.lan), ("WLAN", coverage.wlan))
        ),
        texts("coverage_figure.threshold", share=texts.percent(FULL_SHARE, 0)),
        "",
    ]
    rows = [
        tuple(texts(f"coverage_figure.col.{name}") for name in ("room", "lan", "wlan"))
    ]
    for room in coverage.rooms:
        lan, wlan = room_text(room, truth, texts)
        key = "teaching" if room.room.teaching else "other"
        name = texts(
            f"coverage_figure.room.{key}", name=room.room.name, floor=room.room.floor
        )
        rows.append(
            (
                name,
                f"{_yes(room.lan, texts)}, {lan}",
                f"{_yes(room.wlan, texts)}, {wlan}",
            )
        )
    widths = [max(len(row[i]) for row in rows) for i in range(2)]
    lines += [f"{a:<{widths[0]}}  {b:<{widths[1]}}  {c}" for a, b, c in rows]
    return "\n".join(lines)


def _yes(known: bool | None, texts: Texts) -> str:
    key = "unknown" if known is None else "yes" if known else "no"
    return texts(f"coverage_figure.room.{key}")
