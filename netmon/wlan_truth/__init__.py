"""The truth about access points: the plan, the controller and the switch together.

``states`` are the words, ``judge`` decides and is pure, ``places`` finds the ports,
``reading`` and ``reader`` ask the store, ``words`` says it to people.
"""

from netmon.wlan_truth.judge import (
    LESSON_DAYS,
    SLOW_PORT_BPS,
    ApFacts,
    PortFacts,
    Reported,
    judge,
    trail_end,
)
from netmon.wlan_truth.places import Place, Places, find_places
from netmon.wlan_truth.reader import WLAN_KINDS, WlanTruth, read_wlan_truth
from netmon.wlan_truth.reading import is_free_tag, was_adopted
from netmon.wlan_truth.states import (
    ApState,
    ApTruth,
    Change,
    PlaceSource,
    TrailEnd,
    UnknownReason,
)
from netmon.wlan_truth.words import port_text, state_text, trail_text

__all__ = [
    "LESSON_DAYS",
    "SLOW_PORT_BPS",
    "WLAN_KINDS",
    "ApFacts",
    "ApState",
    "ApTruth",
    "Change",
    "Place",
    "PlaceSource",
    "Places",
    "PortFacts",
    "Reported",
    "TrailEnd",
    "UnknownReason",
    "WlanTruth",
    "find_places",
    "is_free_tag",
    "judge",
    "port_text",
    "read_wlan_truth",
    "state_text",
    "trail_end",
    "trail_text",
    "was_adopted",
]
