"""The annual report: ``/berichte``, a preview, its files, and freezing a year."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from dashboards.annual import FORMATS, Annual
from dashboards.answers import page_answer
from dashboards.bearer import refuse
from dashboards.context import Site, SiteDep
from dashboards.forms import Form, is_ours, read_form
from dashboards.queries import UnknownError
from dashboards.visitors import allow
from netmon.clock import BERLIN
from netmon.errors import StorageBusyError, StorageError
from netmon.report import CountingError, SnapshotError
from netmon.storage.account_records import Role

_log = logging.getLogger(__name__)

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

_Year = Annotated[int, Path(ge=2000, le=2100)]


def _annual(site: Site) -> Annual:
    """Return the report; it is of the whole city, so nobody limited sees it."""
    if site.visitor.campus_district is not None:
        raise UnknownError("report")
    return Annual(site.store, site.texts)


def _this_year(site: Site) -> int:
    return site.clock.now().astimezone(BERLIN).year


@contextmanager
def _counting(request: Request) -> Iterator[None]:
    """Let one count at a time: it reads the whole city."""
    lock: threading.Lock = request.app.state.counting
    if not lock.acquire(blocking=False):
        raise refuse(
            HTTPStatus.SERVICE_UNAVAILABLE,
            "busy",
            "somebody else's report is being counted",
            "try again in a few seconds",
            retry=True,
        )
    try:
        yield
    finally:
        lock.release()


@router.get("/berichte")
async def reports(site: SiteDep) -> Response:
    """Show the years."""

    def render() -> Response:
        this_year = _this_year(site)
        return page_answer(
            site,
            "reports.html",
            "reports",
            rows=_annual(site).years(this_year),
            this_year=this_year,
            formats=list(FORMATS),
            now_ms=site.moment().now_ms,
        )

    return await site.in_thread(render)


@router.get("/berichte/{year}")
async def report(
    site: SiteDep, year: _Year, erledigt: Annotated[str, Query(max_length=40)] = ""
) -> Response:
    """Show the two tables of a year."""
    return await site.in_thread(_report, site, year, done=erledigt == "frozen")


def _report(
    site: Site, year: int, form: Form | None = None, *, done: bool = False
) -> Response:
    annual, this_year = _annual(site), _this_year(site)
    row = next((x for x in annual.years(this_year) if x.year == year), None)
    if row is None:
        raise UnknownError(f"report {year}")
    tables, problem = None, row.damaged
    if not problem:
        try:
            tables = annual.preview(year)
        except (SnapshotError, CountingError) as error:
            problem = str(error)
    may_freeze = (
        row.frozen is None
        and tables is not None
        and not problem
        and site.visitor.may(Role.ADMIN)
    )
    return page_answer(
        site,
        "report.html",
        "reports",
        row=row,
        tables=tables,
        problem=problem,
        formats=list(FORMATS),
        may_freeze=may_freeze,
        form=form or Form(),
        done=site.texts("reports.done", year=year) if done else "",
        now_ms=site.moment().now_ms,
    )


@router.get("/berichte/{year}/{name}")
async def download(
    request: Request,
    site: SiteDep,
    year: _Year,
    name: Annotated[str, Path(max_length=40)],
) -> Response:
    """Give a file of a year's report."""
    annual, wanted = _annual(site), FORMATS.get(name)
    if wanted is None:
        raise UnknownError(name)

    def make() -> Response:
        row = next((x for x in annual.years(_this_year(site)) if x.year == year), None)
        if row is None or not row.has_files:
            raise UnknownError(f"report {year}")
        try:
            with _counting(request):
                found = annual.report(year, site.clock.now())
        except (SnapshotError, CountingError):
            # The year's own page says what is wrong.
            return RedirectResponse(f"/berichte/{year}", HTTPStatus.SEE_OTHER)
        if found is None:
            raise UnknownError(f"report {year}")
        # Who finds the file later sees that the numbers could still change.
        state = "" if row.frozen is not None else "-vorlaeufig"
        file = f"netmon-bericht-{year}{state}.{wanted.ending}"
        return Response(
            wanted.make(found, site.texts),
            media_type=wanted.media_type,
            headers={"Content-Disposition": f'attachment; filename="{file}"'},
        )

    return await site.in_thread(make)


@router.post("/berichte/{year}/festschreiben")
async def freeze(request: Request, site: SiteDep, year: _Year) -> Response:
    """Freeze a year; it cannot be undone, so the form asks for a tick."""
    allow(site.visitor, Role.ADMIN)
    annual, form = _annual(site), await read_form(request)
    texts = site.texts

    def run() -> Response:
        if not is_ours(site, request, form):
            return _refused(site, year, form.not_ours(texts))
        if form["sure"] != "yes":
            told = Form(form.values, {"sure": texts("reports.not_sure")})
            return _refused(site, year, told)
        if not any(
            x.year == year and x.frozen is None and not x.damaged
            for x in annual.years(_this_year(site))
        ):
            return _refused(site, year, _general(form, texts("reports.cannot")))
        try:
            with _counting(request):
                frozen = annual.freeze(year, site.clock.now())
        except StorageBusyError:
            raise
        except (StorageError, CountingError) as error:
            return _refused(site, year, _general(form, str(error)))
        _log.warning(
            "%s froze the year %s (SHA-256 %s)", site.visitor.name, year, frozen.sha256
        )
        target = f"/berichte/{year}?erledigt=frozen"
        return RedirectResponse(target, HTTPStatus.SEE_OTHER)

    return await site.in_thread(run)


def _general(form: Form, problem: str) -> Form:
    return Form(form.values, general=(problem,))


def _refused(site: Site, year: int, form: Form) -> Response:
    answer = _report(site, year, form)
    answer.status_code = int(HTTPStatus.UNPROCESSABLE_ENTITY)
    return answer
