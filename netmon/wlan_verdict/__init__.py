"""What an access point is worth to a lesson, and what a building's are together.

``judge`` gives each access point one class with its reason, ``group`` makes one of
many: the worst member decides a group, a share decides a building.
"""

from netmon.wlan_verdict.group import (
    DOWN_SHARE,
    WlanGroup,
    group_of,
    worst,
)
from netmon.wlan_verdict.judge import (
    FULL_RATIO,
    ApClass,
    ApReason,
    ApVerdict,
    judge_ap,
)

__all__ = [
    "DOWN_SHARE",
    "FULL_RATIO",
    "ApClass",
    "ApReason",
    "ApVerdict",
    "WlanGroup",
    "group_of",
    "judge_ap",
    "worst",
]
