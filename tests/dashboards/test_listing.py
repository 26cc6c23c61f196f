"""Sorting as DIN 5007-1 wants it."""

from __future__ import annotations

import pytest

from dashboards.listing import SORTS
from dashboards.routes.city import SORT_CHOICES
from netmon.collation import collation_key, fold


@pytest.mark.parametrize(
    ("text", "folded"),
    [("Äpfel", "apfel"), ("Straße", "strasse"), ("GROẞ", "gross"), ("É", "e")],
)
def test_folding(text, folded):
    assert fold(text) == folded


def test_german_order():
    wanted = [
        "Ahorn",
        "Ähre",
        "Apfel",
        "Masse",
        "Maße",
        "Mast",
        "Schule 2",
        "Schule 10",
    ]
    mixed = [*wanted[::2], *wanted[1::2]]
    assert sorted(mixed, key=collation_key) == wanted


def test_numbers_and_words_can_be_compared():
    texts = ["10. Schule", "Schule", "2. Schule", "", "Schule 1a", "Schule 1"]
    assert sorted(texts, key=collation_key) == [
        "",
        "2. Schule",
        "10. Schule",
        "Schule",
        "Schule 1",
        "Schule 1a",
    ]


def test_every_sort_of_the_form_exists():
    assert {name.removeprefix("-") for name in SORT_CHOICES} <= set(SORTS)
