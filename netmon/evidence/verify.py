"""Checking a file without the store it came from: nothing but what stands in it."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from netmon.errors import NetmonError
from netmon.evidence import chain
from netmon.evidence.machine import Sheet, summary
from netmon.evidence.readings import Evaluation, NoOrderError, evaluate
from netmon.evidence.records import FORMAT, builtins, read_records


class TamperedError(NetmonError):
    """A file does not hold; ``code`` names the texts below ``evidence.tampered``."""

    def __init__(self, code: str, **values: object) -> None:
        super().__init__(f"{code}: {values}")
        self.code = code
        self.values = values


@dataclass(frozen=True, slots=True)
class Verified:
    """A file that holds: what it says, how long its chain is, and its last hash."""

    evaluation: Evaluation
    entries: int
    head: str


_decode = msgspec.json.Decoder(Sheet).decode


def verify(body: bytes, *, head: str = "") -> Verified:
    """Check every link and everything computed from them; ``head`` is the hash told.

    Raises:
        TamperedError: the file is no such file, a link does not hold, what stands
            beside the chain does not follow from it, or the last hash is another.
    """
    try:
        sheet = _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise TamperedError("not_json", why=str(error)) from error
    if sheet.layout != FORMAT:
        raise TamperedError("layout", found=sheet.layout, known=FORMAT)
    broken = chain.first_break(sheet.chain)
    if broken is not None:
        raise TamperedError("chain", number=broken.number, why=broken.why)
    try:
        evaluation = evaluate(read_records(sheet.chain))
    except (msgspec.DecodeError, NoOrderError) as error:
        raise TamperedError("record", why=str(error)) from error
    found = chain.head(sheet.chain)
    computed = {"campaign": builtins(evaluation.order), "head": found}
    given: dict[str, object] = {"campaign": sheet.campaign, "head": sheet.head}
    # Through JSON once, so that both sides are what a file can hold.
    fresh = msgspec.json.decode(msgspec.json.encode(summary(evaluation)))
    computed |= {f"evaluation.{key}": value for key, value in fresh.items()}
    given |= {f"evaluation.{key}": value for key, value in sheet.evaluation.items()}
    computed["campaign"] = msgspec.json.decode(
        msgspec.json.encode(computed["campaign"])
    )
    for field in sorted(computed.keys() | given.keys()):
        if computed.get(field) != given.get(field):
            raise TamperedError("evaluation", field=field)
    if head and head.strip().lower() != found:
        raise TamperedError("head", found=found, given=head)
    return Verified(evaluation, len(sheet.chain), found)
