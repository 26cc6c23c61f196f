"""Incidents: ``/stoerungen`` with filters, one page each, and what people say of them."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import HTMLResponse

from dashboards import acting
from dashboards.action_forms import NOTE_FIELDS
from dashboards.answers import page_answer
from dashboards.context import Site, SiteDep
from dashboards.forms import Form, is_ours, read_form
from dashboards.incident_listing import IncidentFilter, IncidentState
from dashboards.incident_page import read_incident, read_lists
from dashboards.interrupted import typed_before
from dashboards.routes.desk import done_words, seen_to, status_of
from dashboards.visitors import allow
from netmon.actions import commands
from netmon.actions.errors import ActionError
from netmon.alarm_classes import RuleName, Severity
from netmon.collation import collation_key
from netmon.storage.account_records import Role

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

_Number = Annotated[int, Path(ge=1, le=2**62)]
_Act = Callable[[Site, int, Form], object]


@router.get("/stoerungen")
async def incidents(
    site: SiteDep, wanted: Annotated[IncidentFilter, Query()]
) -> Response:
    """Show open and past incidents."""

    def render() -> Response:
        found = read_lists(site, wanted)
        districts = {one.campus_district for one in site.inventory().buildings}
        return page_answer(
            site,
            "incidents.html",
            "incidents",
            incidents=found.is_open,
            past=found.past,
            has_more=found.has_more,
            wanted=wanted,
            query=wanted.query(),
            choices={
                "rule": list(RuleName),
                "severity": list(Severity),
                "campus_district": sorted(districts, key=collation_key),
                "state": list(IncidentState),
            },
            now_ms=site.moment().now_ms,
        )

    return await site.in_thread(render)


@router.get("/stoerungen/{number}")
async def incident(
    request: Request,
    site: SiteDep,
    number: _Number,
    erledigt: Annotated[str, Query(max_length=100)] = "",
) -> Response:
    """Show one incident."""
    done = done_words(site, erledigt, number)
    forms = {x: typed_before(site, request, x) for x in ("acknowledging", "marking")}
    general = [text for form in forms.values() if form for text in form.general]
    return await site.in_thread(
        _incident, site, number, **forms, problem=" ".join(general), done=done
    )


def _incident(
    site: Site,
    number: int,
    *,
    acknowledging: Form | None = None,
    marking: Form | None = None,
    problem: str = "",
    done: str = "",
) -> Response:
    found = read_incident(site, number)
    return page_answer(
        site,
        "incident.html",
        "incidents",
        page=found,
        incident=found.view,
        now_ms=found.now_ms,
        may_act=site.visitor.may(Role.OPERATE),
        acknowledging=acknowledging or Form(),
        marking=marking or Form(),
        problem=problem,
        done=done,
    )


@router.post("/stoerungen/{number}/quittieren")
async def acknowledge(request: Request, site: SiteDep, number: _Number) -> Response:
    """Acknowledge an incident."""

    def act(site: Site, number: int, form: Form) -> object:
        return acting.mark(site, commands.acknowledge, number, form["note"])

    return await _act(request, site, number, act, "acknowledged", "acknowledging")


@router.post("/stoerungen/{number}/zuruecknehmen")
async def unacknowledge(request: Request, site: SiteDep, number: _Number) -> Response:
    """Take an acknowledgement back."""

    def act(site: Site, number: int, _: Form) -> None:
        acting.unacknowledge(site, number)

    return await _act(request, site, number, act, "unacknowledged", "")


@router.post("/stoerungen/{number}/fehlalarm")
async def mark_false(request: Request, site: SiteDep, number: _Number) -> Response:
    """Mark an incident as a false alarm."""

    def act(site: Site, number: int, form: Form) -> object:
        return acting.mark(site, commands.mark_false, number, form["note"])

    return await _act(request, site, number, act, "marked_false", "marking")


async def _act(
    request: Request, site: Site, number: int, act: _Act, done: str, name: str
) -> Response:
    """Act, and lead to the incident; what is refused is shown there, as typed.

    ``name`` is what the page calls the form, empty where it has no fields.
    """
    allow(site.visitor, Role.OPERATE)
    form = await read_form(request)

    def run() -> Response:
        if not is_ours(site, request, form):
            told, status = form.not_ours(site.texts), HTTPStatus.UNPROCESSABLE_ENTITY
        else:
            try:
                act(site, number, form)
            except ActionError as error:
                status = status_of(error)
                told = form.with_faults(error.faults, NOTE_FIELDS, site.texts)
            else:
                return seen_to(f"/stoerungen/{number}", done, number)
        answer = _incident(
            site,
            number,
            acknowledging=told if name == "acknowledging" else None,
            marking=told if name == "marking" else None,
            problem=" ".join(told.general),
        )
        answer.status_code = int(status)
        return answer

    return await site.in_thread(run)
