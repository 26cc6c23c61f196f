"""What people decide about alarms: ``/wartung``, ``/protokoll``, and their forms."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from dashboards import acting
from dashboards.action_forms import (
    SILENCE_FIELDS,
    WINDOW_FIELDS,
    new_silence,
    new_window,
    places,
    silence_of,
    window_of,
)
from dashboards.answers import page_answer
from dashboards.context import Site, SiteDep
from dashboards.desk import audit_rows, silence_rows, window_rows
from dashboards.forms import Form, is_ours, read_form
from dashboards.interrupted import typed_before
from dashboards.visitors import allow
from netmon.actions.errors import ActionError, Refusal
from netmon.alarm_classes import RuleName, Severity
from netmon.school_calendar import Weekday
from netmon.storage.account_records import Role

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

AUDIT_SHOWN = 100
_Text = Annotated[str, Query(max_length=200)]
_Number = Annotated[int, Path(ge=1, le=2**62)]


def seen_to(path: str, done: str, number: int, anchor: str = "") -> Response:
    """Lead to where the outcome is seen; calling that again changes nothing."""
    query = urlencode({"erledigt": done, "nr": number})
    return RedirectResponse(f"{path}?{query}{anchor}", HTTPStatus.SEE_OTHER)


def done_words(site: Site, done: str, number: int | None) -> str:
    """Return in a sentence what was done; empty where nothing was."""
    key = f"desk.done.{done}"
    return site.texts(key, id=number or "") if site.texts.has(key) else ""


@router.get("/wartung")
async def decided(
    site: SiteDep,
    alle: bool = False,
    erledigt: _Text = "",
    nr: Annotated[int | None, Query(ge=1, le=2**62)] = None,
) -> Response:
    """Show maintenance windows and silences: those that count or come, or all."""
    done = done_words(site, erledigt, nr)
    return await site.in_thread(_decided, site, include_over=alle, done=done)


def _decided(
    site: Site, *, include_over: bool, done: str = "", problem: str = ""
) -> Response:
    return page_answer(
        site,
        "desk/decided.html",
        "incidents",
        windows=window_rows(site, include_over=include_over),
        silences=silence_rows(site, include_over=include_over),
        include_over=include_over,
        may_act=site.visitor.may(Role.OPERATE),
        done=done,
        problem=problem,
        now_ms=site.moment().now_ms,
    )


@router.get("/wartung/neu")
async def window_form(
    request: Request, site: SiteDep, ort: _Text = "", woechentlich: bool = False
) -> Response:
    """Show the form of a window: one-off or weekly."""
    allow(site.visitor, Role.OPERATE)
    form = typed_before(site, request) or new_window(site, ort, weekly=woechentlich)
    return await site.in_thread(_window_form, site, form, weekly=woechentlich)


def _window_form(site: Site, form: Form, *, weekly: bool) -> Response:
    # Who is limited to a Campusbezirk cannot mute a provider everywhere.
    providers = site.visitor.campus_district is None
    return _form_page(
        site,
        "desk/window.html",
        form,
        weekly=weekly,
        weekdays=list(Weekday),
        places=places(site.inventory(), site.texts, providers=providers),
    )


@router.post("/wartung/neu")
async def add_window(
    request: Request, site: SiteDep, woechentlich: bool = False
) -> Response:
    """Store a window."""
    allow(site.visitor, Role.OPERATE)
    form, weekly = await read_form(request), woechentlich

    def add() -> Response:
        if not is_ours(site, request, form):
            return _refused(
                _window_form(site, form.not_ours(site.texts), weekly=weekly)
            )
        try:
            asked = window_of(form, site.clock.now(), weekly=weekly)
            stored = acting.add_maintenance(site, *asked)
        except ActionError as error:
            told = form.with_faults(error.faults, WINDOW_FIELDS, site.texts)
            return _refused(_window_form(site, told, weekly=weekly))
        return seen_to("/wartung", "maintenance_added", stored.id)

    return await site.in_thread(add)


@router.get("/wartung/stumm")
async def silence_form(
    request: Request,
    site: SiteDep,
    ort: _Text = "",
    regel: _Text = "",
    ziel: _Text = "",
) -> Response:
    """Show the form of a silence."""
    allow(site.visitor, Role.OPERATE)
    form = typed_before(site, request) or new_silence(site, ort, regel, ziel)
    return await site.in_thread(_silence_form, site, form)


def _silence_form(site: Site, form: Form) -> Response:
    return _form_page(
        site,
        "desk/silence.html",
        form,
        rules=list(RuleName),
        severities=list(Severity),
        places=places(site.inventory(), site.texts, providers=True),
    )


@router.post("/wartung/stumm")
async def add_silence(request: Request, site: SiteDep) -> Response:
    """Store a silence."""
    allow(site.visitor, Role.OPERATE)
    form = await read_form(request)

    def add() -> Response:
        if not is_ours(site, request, form):
            return _refused(_silence_form(site, form.not_ours(site.texts)))
        fields = SILENCE_FIELDS
        try:
            asked = silence_of(form, site.clock.now())
            fields = asked.fields()
            stored = acting.add_silence(
                site, asked.matchers, asked.span_ms, asked.reason
            )
        except ActionError as error:
            told = form.with_faults(error.faults, fields, site.texts)
            return _refused(_silence_form(site, told))
        return seen_to("/wartung", "silence_added", stored.id, "#stumm")

    return await site.in_thread(add)


@router.post("/wartung/{number}/beenden")
async def end_window(request: Request, site: SiteDep, number: _Number) -> Response:
    """End a window before its time."""
    return await _end(
        request, site, number, acting.cancel_maintenance, "maintenance_cancelled"
    )


@router.post("/wartung/stumm/{number}/beenden")
async def end_silence(request: Request, site: SiteDep, number: _Number) -> Response:
    """End a silence before its time."""
    return await _end(request, site, number, acting.end_silence, "silence_ended")


async def _end(
    request: Request,
    site: Site,
    number: int,
    end: Callable[[Site, int], None],
    done: str,
) -> Response:
    allow(site.visitor, Role.OPERATE)
    form = await read_form(request)

    def run() -> Response:
        if not is_ours(site, request, form):
            problem = site.texts("desk.not_ours")
            return _refused(_decided(site, include_over=False, problem=problem))
        try:
            end(site, number)
        except ActionError as error:
            problem = error.faults[0].text(site.texts)
            answer = _decided(site, include_over=False, problem=problem)
            return _refused(answer, status_of(error))
        return seen_to("/wartung", done, number)

    return await site.in_thread(run)


@router.get("/protokoll")
async def audit(
    site: SiteDep,
    zu: Annotated[str, Query(max_length=128)] = "",
    vor: Annotated[int | None, Query(ge=1, le=2**62)] = None,
) -> Response:
    """Show what people did, newest first: all, or about one thing."""
    allow(site.visitor, Role.OPERATE)

    def render() -> Response:
        found = acting.audit(site, zu or None, vor, AUDIT_SHOWN + 1)
        return page_answer(
            site,
            "desk/audit.html",
            "incidents",
            rows=audit_rows(site, found[:AUDIT_SHOWN]),
            subject=zu,
            before=found[AUDIT_SHOWN - 1].id if len(found) > AUDIT_SHOWN else None,
            is_first=vor is None,
            now_ms=site.moment().now_ms,
        )

    return await site.in_thread(render)


def status_of(error: ActionError) -> HTTPStatus:
    """Return the status of a page that tells of a refusal."""
    return {
        Refusal.INVALID: HTTPStatus.UNPROCESSABLE_ENTITY,
        Refusal.NOT_FOUND: HTTPStatus.NOT_FOUND,
        Refusal.CONFLICT: HTTPStatus.CONFLICT,
    }[error.kind]


def _refused(
    answer: Response, status: HTTPStatus = HTTPStatus.UNPROCESSABLE_ENTITY
) -> Response:
    answer.status_code = int(status)
    return answer


def _form_page(site: Site, template: str, form: Form, **values: object) -> Response:
    return page_answer(
        site,
        template,
        "incidents",
        form=form,
        now_ms=site.moment().now_ms,
        **values,
    )
