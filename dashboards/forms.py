"""Forms of the pages: what was typed, what is wrong with it, and whose form it was.

A form that is refused is shown again as it was typed, each fault next to its field.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from urllib.parse import parse_qs

from fastapi import Request

from dashboards.bearer import refuse
from dashboards.context import Site
from dashboards.visitors import CSRF_FIELD, is_own_form
from netmon.actions.errors import ActionError, Fault, Refusal, fault
from netmon.actions.times import TimeTextError
from netmon.texts import Texts

MAX_FORM_BYTES = 32 * 1024
_MAX_FIELDS = 200


@dataclass(frozen=True, slots=True)
class Form:
    """What was typed, by field, and the faults in words.

    ``general`` are faults of no field.
    """

    values: Mapping[str, Sequence[str]] = field(default_factory=dict)
    faults: Mapping[str, str] = field(default_factory=dict)
    general: tuple[str, ...] = ()

    def __getitem__(self, name: str) -> str:
        """Return a field's text without blanks around it; empty where it is missing."""
        found = self.values.get(name)
        return found[0].strip() if found else ""

    def all(self, name: str) -> tuple[str, ...]:
        """Return all values of a field, such as boxes that are ticked."""
        return tuple(self.values.get(name, ()))

    @property
    def is_refused(self) -> bool:
        """Whether anything is wrong."""
        return bool(self.faults or self.general)

    def with_faults(
        self, faults: Iterable[Fault], fields: Mapping[str, str], texts: Texts
    ) -> Form:
        """Return the form with faults in words.

        ``fields`` says which field of the form a fault of the API's field is of; what
        it does not name is of no field.
        """
        found: dict[str, str] = {}
        general = []
        for one in faults:
            text = texts("desk.fault", text=one.text(texts), fix=one.fix(texts))
            name = fields.get(one.field or "")
            if name is None:
                general.append(text)
            else:
                found.setdefault(name, text)
        return replace(self, faults=found, general=tuple(general))

    def resumed(self, texts: Texts) -> Form:
        """Return the form as it waited for a login: nothing of it is done yet."""
        return replace(self, general=(texts("desk.resumed"),))

    def not_ours(self, texts: Texts) -> Form:
        """Return the form with the one fault that it is none of this session."""
        return replace(self, general=(texts("desk.not_ours"),))


def prefilled(**values: str | Sequence[str]) -> Form:
    """Return a form as it is first shown."""
    return Form(
        {
            name: (value,) if isinstance(value, str) else tuple(value)
            for name, value in values.items()
        }
    )


async def read_form(request: Request) -> Form:
    """Return what a browser sent.

    Raises:
        RefusedError: it is too large, or no form.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise refuse(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            "unsupported_media_type",
            "this is no form",
            "send it as application/x-www-form-urlencoded",
        )
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MAX_FORM_BYTES:
            raise refuse(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                "too_large",
                f"the form is larger than {MAX_FORM_BYTES} bytes",
                "type less",
            )
    try:
        values = parse_qs(
            body.decode(),
            keep_blank_values=True,
            max_num_fields=_MAX_FIELDS,
            errors="strict",
        )
    except ValueError as error:
        raise refuse(
            HTTPStatus.BAD_REQUEST, "bad_request", "this is no form", "type it anew"
        ) from error
    return Form(values)


def is_ours(site: Site, request: Request, form: Form) -> bool:
    """Say whether a form was filled in in the visitor's session, on a page of ours."""
    return is_own_form(site, request, site.visitor, form[CSRF_FIELD])


class Faults:
    """Collects what is wrong, so that everything is told at once."""

    def __init__(self) -> None:
        self._found: list[Fault] = []

    @contextmanager
    def of(self, name: str, text: str) -> Iterator[None]:
        """Note a text of a field that is no time, or what an action refuses."""
        try:
            yield
        except TimeTextError as error:
            self.add(fault("empty_time" if not text else error.code, name, value=text))
        except ActionError as error:
            self._found += [Fault(x.code, name, x.values) for x in error.faults]

    def add(self, *found: Fault) -> None:
        """Note faults."""
        self._found += found

    def raise_any(self) -> None:
        """Raise what was noted.

        Raises:
            ActionError: something was.
        """
        if self._found:
            raise ActionError(Refusal.INVALID, self._found)
