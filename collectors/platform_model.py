"""What a platform file can say: its types, and the meaning of every key."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from collectors.results import ResultKind

MAX_ROWS = 20_000
# What SFF-8472 can count at least is 0.1 uW, -40 dBm: nothing shows as that.
DARK_DBM = -40.0


class Match(Struct, frozen=True, forbid_unknown_fields=True):
    """Which devices a platform fits; what is given must all fit.

    ``sys_object_id`` are prefixes, of which one must fit; ``sys_descr`` is a
    regular expression searched in the description.
    """

    sys_object_id: tuple[str, ...] = ()
    sys_descr: str = ""


class Fact(Struct, frozen=True, forbid_unknown_fields=True):
    """One word about the device; ``pattern`` cuts it out by its one group.

    Where a device has the word twice (of two banks of firmware, say), ``when_oid``
    tells which one counts: this one if it says a number of ``when``.
    """

    name: str
    oid: str
    pattern: str = ""
    when_oid: str = ""
    when: tuple[int, ...] = ()


class IndexPart(Struct, frozen=True, forbid_unknown_fields=True):
    """``length`` sub-identifiers of a row's index, in their order.

    A length of 0 takes what the other parts leave. ``text`` shows the part as
    the characters it stands for. A part with a ``value`` is always that, and
    takes nothing unless a length is given: a device has no index for what it
    has only one of. ``own_mac`` says that six of them are the hardware address of an
    access point's own Ethernet port: it is known again by that at another controller.
    """

    part: str
    length: int = 0
    text: bool = False
    value: str = ""
    own_mac: bool = False

    @property
    def is_open(self) -> bool:
        """Whether it takes whatever is left."""
        return not self.length and not self.value


class Column(Struct, frozen=True, forbid_unknown_fields=True):
    """One column of a table.

    ``scale`` turns what the device says into the field's unit, ``unit`` tells a
    reader what that was. ``enumeration`` maps codes to numbers, null to "not
    known"; a code that is not in it is not known either. ``missing`` are values
    that mean "no value", as is what lies outside ``low`` to ``high`` before it is
    scaled. ``offset`` is added to it before. ``pattern`` cuts text or a number
    out of text; ``words`` says which numbers words stand for (small letters; other
    than words counts only with a pattern), ``becomes`` what any number within the limits
    does, and any text where there are none. ``bits`` makes 1 of a BITS
    value that has one of them and none of ``without_bits``, else 0; ``octets``
    shows a hardware address in pairs. A row
    must have its ``required`` columns, else the table was not read whole.

    Where a column's index is longer than the row's, ``suffix`` names the end it
    must have (one sub-identifier for each direction, say), or ``fold`` makes one
    value of all whose index begins with the row's: their ``sum``, the ``least``
    of them, ``any``, or the ``single`` one (a link with two ends has none). ``at`` is one
    index whose value holds for every row.
    ``ends`` are the last sub-identifiers of those rows it holds for, all if empty.
    ``sole`` says that a column with one value, whatever its index, has it for every
    row. ``by`` names a field told before whose value ends the index (noise is told by
    channel, and one channel is in use): only those objects are asked, one a row.
    ``signed`` undoes an agent that sends negative numbers as unsigned ones.
    ``milliwatt`` says that the scaled value is a power in mW and the field is
    in dBm; no power at all is `DARK_DBM`, as are values of ``dark``.
    """

    field: str
    oid: str
    unit: str = ""
    scale: float = 1.0
    enumeration: dict[int, int | None] = {}
    missing: tuple[int, ...] = ()
    low: float | None = None
    high: float | None = None
    pattern: str = ""
    required: bool = False
    words: dict[str, float] = {}
    offset: float = 0.0
    becomes: float | None = None
    bits: tuple[int, ...] = ()
    without_bits: tuple[int, ...] = ()
    octets: bool = False
    suffix: tuple[int, ...] = ()
    fold: Literal["", "single", "any", "least", "sum"] = ""
    at: tuple[int, ...] = ()
    ends: tuple[int, ...] = ()
    sole: bool = False
    by: str = ""
    signed: bool = False
    milliwatt: bool = False
    dark: tuple[int, ...] = ()

    @property
    def is_elsewhere(self) -> bool:
        """Whether its values do not just stand at the index of their row."""
        ways = (self.suffix, self.fold, self.at, self.ends, self.sole, self.by)
        return any(ways)


class Keep(Struct, frozen=True, forbid_unknown_fields=True):
    """Keep only the rows whose field has one of these values.

    ``or_unsaid`` keeps those of which the device does not say it as well.
    """

    field: str
    values: tuple[int, ...]
    or_unsaid: bool = False


class Table(Struct, frozen=True, forbid_unknown_fields=True):
    """A table of one kind of result.

    ``never_empty`` marks tables that a sound device cannot have empty, so that
    no rows mean no answer. Required columns of different fields must have the
    same rows; with ``rows: any`` each of them may add rows of its own (where
    several MIBs tell of the same thing). ``only_with`` names a table before it
    without whose rows this one is not asked, ``unless_line`` spares devices that
    carry a line (a radio link is no access point). A table that a device does not
    walk but answers for a known row has ``rows_of``, a table before it: each of its
    rows is asked for with each of ``ends`` behind its index.
    ``only_while_up`` marks a table whose rows stand only as long as what they tell of
    is up: whether they are there is asked at every poll.
    """

    name: str
    result: ResultKind
    index: tuple[IndexPart, ...]
    columns: tuple[Column, ...]
    never_empty: bool = False
    max_repetitions: int = 20
    max_rows: int = MAX_ROWS
    keep: Keep | None = None
    rows: Literal["same", "any"] = "same"
    only_with: str = ""
    unless_line: bool = False
    rows_of: str = ""
    ends: tuple[int, ...] = ()
    only_while_up: bool = False

    @property
    def index_length(self) -> int:
        """Number of sub-identifiers in a row's index."""
        return sum(part.length for part in self.index)


class Trap(Struct, frozen=True, forbid_unknown_fields=True):
    """A trap or inform after which a device is polled at once.

    ``oid`` is its name as snmpTrapOID has it (RFC 3416), ``about`` what may have
    changed. What it says is not believed: the poll decides.
    """

    oid: str
    about: Literal["access_point", "link", "restart"]


class Platform(Struct, frozen=True, forbid_unknown_fields=True):
    """A family of devices. ``extends`` names platforms whose parts are added.

    What fits no platform gets the ``fallback``, and if it carries a line the
    ``line_fallback``, which asks the standard MIBs about the medium as well.
    """

    name: str
    tables: tuple[Table, ...] = ()
    facts: tuple[Fact, ...] = ()
    traps: tuple[Trap, ...] = ()
    match: Match = Match()
    extends: tuple[str, ...] = ()
    fallback: bool = False
    line_fallback: bool = False
