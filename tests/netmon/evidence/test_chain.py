"""The chain finds the first link that does not hold, whatever was done to it."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from netmon.evidence.chain import (
    GENESIS,
    Break,
    canonical,
    extend,
    first_break,
    head,
    link_hash,
)

records = st.lists(
    st.dictionaries(
        st.text(max_size=5),
        st.one_of(
            st.integers(),
            st.text(max_size=9),
            st.floats(allow_nan=False, allow_infinity=False),
        ),
        max_size=4,
    ),
    min_size=1,
    max_size=12,
)


@given(records, st.data())
def test_a_chain_holds_until_something_is_changed(parts, data):
    chain = extend(None, parts)
    assert first_break(chain) is None
    at = data.draw(st.integers(0, len(chain) - 1))
    changed = [*chain]
    changed[at] = replace(chain[at], record=chain[at].record + " ")
    assert first_break(changed) == Break(at, "sha256")
    # Whoever mends the hash of what he changed breaks the next link.
    mended = replace(
        changed[at], sha256=link_hash(chain[at].previous, changed[at].record)
    )
    changed[at] = mended
    if at + 1 < len(chain):
        assert first_break(changed) == Break(at + 1, "previous")
    else:
        assert head(changed) != head(chain)


@given(records, st.data())
def test_a_missing_or_moved_link_is_found(parts, data):
    chain = extend(None, [*parts, {"last": True}])
    at = data.draw(st.integers(0, len(chain) - 2))
    assert first_break([*chain[:at], *chain[at + 1 :]]) == Break(at, "number")


@given(records, records)
def test_a_chain_may_grow_in_steps(some, more):
    first = extend(None, some)
    assert [*first, *extend(first[-1], more)] == extend(None, [*some, *more])


def test_the_hash_is_what_the_manual_says():
    (one,) = extend(None, [{"b": 1.5, "a": "ü"}])
    assert one.record == '{"a":"ü","b":1.5}'
    assert one.previous == GENESIS == "0" * 64
    text = f"{GENESIS}\n{one.record}".encode()
    assert one.sha256 == hashlib.sha256(text).hexdigest() == head([one])
    assert head([]) == GENESIS


def test_numbers_that_are_none_have_no_place():
    with pytest.raises(ValueError, match="JSON"):
        canonical({"x": float("nan")})
