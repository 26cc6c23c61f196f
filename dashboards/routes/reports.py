"""The annual report: ``/berichte``, a preview, its files, and freezing a year."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from dashboards.annual import (
    FORMATS,
    PoorDataError,
    YearRow,
    preview,
    reader_of,
    refuse_poor,
    years,
)
from dashboards.answers import page_answer
from dashboards.bearer import refuse
from dashboards.context import Site, SiteDep
from dashboards.forms import Form, is_ours, read_form
from dashboards.queries import UnknownError
from dashboards.visitors import allow
from netmon.clock import BERLIN
from netmon.errors import InputError, StorageBusyError, StorageError
from netmon.report import CountingError, Reader, SnapshotError
from netmon.report.figures import FigureRow
from netmon.storage.account_records import Role

_log = logging.getLogger(__name__)

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

_Year = Annotated[int, Path(ge=2000, le=2100)]


def _reader(site: Site) -> Reader:
    """Return the report; it is of the whole city, so nobody limited sees it."""
    if site.visitor.campus_district is not None:
        raise UnknownError("report")
    return reader_of(site)


def _row(site: Site, reader: Reader, year: int) -> YearRow:
    found = [row for row in years(reader, _this_year(site)) if row.year == year]
    if not found:
        raise UnknownError(f"report {year}")
    return found[0]


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
            rows=years(_reader(site), this_year),
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
    reader = _reader(site)
    row = _row(site, reader, year)
    tables, problem = None, row.damaged
    if not problem:
        try:
            tables = preview(site, reader, year)
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
    reader, wanted = _reader(site), FORMATS.get(name)
    if wanted is None:
        raise UnknownError(name)

    def make() -> Response:
        row = _row(site, reader, year)
        # Who finds the file later sees that the numbers could still change.
        state = "" if row.frozen is not None else "-vorlaeufig"
        file = f"netmon-bericht-{year}{state}.{wanted.ending}"
        try:
            with _counting(request):
                found = reader.report(year, site.clock.now())
                body = wanted.make(found, site.texts)
        except (InputError, SnapshotError, CountingError):
            # The year's own page says what is wrong.
            return RedirectResponse(f"/berichte/{year}", HTTPStatus.SEE_OTHER)
        return Response(
            body,
            media_type=wanted.media_type,
            headers={"Content-Disposition": f'attachment; filename="{file}"'},
        )

    return await site.in_thread(make)


@router.post("/berichte/{year}/festschreiben")
async def freeze(request: Request, site: SiteDep, year: _Year) -> Response:
    """Freeze a year; it cannot be undone, so the form asks for a tick.

    Where much is missing in the data a second tick has to accept that.
    """
    allow(site.visitor, Role.ADMIN)
    reader, form = _reader(site), await read_form(request)
    texts = site.texts

    def run() -> Response:
        row = _row(site, reader, year)
        if not is_ours(site, request, form):
            return _refused(site, year, form.not_ours(texts))
        if form["sure"] != "yes":
            told = Form(form.values, {"sure": texts("reports.not_sure")})
            return _refused(site, year, told)
        if row.frozen is not None or row.damaged:
            return _refused(site, year, _general(form, texts("reports.cannot")))
        with _counting(request):
            told = _freeze(site, reader, year, form)
        if told.is_refused:
            return _refused(site, year, told)
        target = f"/berichte/{year}?erledigt=frozen"
        return RedirectResponse(target, HTTPStatus.SEE_OTHER)

    return await site.in_thread(run)


def _freeze(site: Site, reader: Reader, year: int, form: Form) -> Form:
    """Freeze a year; return the form, with what was refused."""

    def accept(rows: Sequence[FigureRow]) -> None:
        if form["despite"] != "yes":
            refuse_poor(rows, site.texts)

    try:
        frozen = reader.freeze(year, site.clock.now(), site.visitor.actor, accept)
    except PoorDataError as error:
        lines = "; ".join(error.rows)
        return Form(form.values, {"despite": site.texts("reports.poor", rows=lines)})
    except StorageBusyError:
        raise
    except InputError as error:
        return _general(form, " ".join(one.text for one in error.problems))
    except (StorageError, CountingError) as error:
        return _general(form, str(error))
    _log.warning("%s froze the year %s (%s)", site.visitor.name, year, frozen.sha256)
    return form


def _general(form: Form, problem: str) -> Form:
    return Form(form.values, general=(problem,))


def _refused(site: Site, year: int, form: Form) -> Response:
    answer = _report(site, year, form)
    answer.status_code = int(HTTPStatus.UNPROCESSABLE_ENTITY)
    return answer
