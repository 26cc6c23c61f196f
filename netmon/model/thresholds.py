"""What a line must reach; see docs/decisions/006-what-a-line-must-reach.md."""

from __future__ import annotations

from netmon.model.city import TARGET_DOWN_BPS, Line

# A line can't deliver more than its contract, and framing takes 3-5 % of it
# (1448/1538 on Ethernet): below nine tenths of the contract is a fault, not overhead.
CONTRACT_SHARE = 0.9
# An alarm ends only clearly above where it began, else a line at the edge mails
# all day.
CLEAR_MARGIN = 1.05
# What TCP can carry of the contract at most is 0.94 (1448 of 1538 byte a frame,
# PPPoE a little less). A healthy line must be able to reach its clear threshold,
# so that stays a little below, and a little above CONTRACT_SHARE.
REACHABLE_SHARE = 0.92


def below_by_contract(line: Line) -> bool:
    """Say whether the contract itself promises less than the city's target."""
    return line.contracted_down_bps < TARGET_DOWN_BPS


def expected_down_bps(line: Line) -> float:
    """Return what a healthy line must reach: ``min(target, 0.9 x contract)``."""
    return min(line.target_down_bps, CONTRACT_SHARE * line.contracted_down_bps)


def clear_down_bps(line: Line) -> float:
    """Return from which rate on a line counts as healed.

    5 % above the alarm threshold, or what is wished, but never above what the contract
    can carry.
    """
    raised_bps = expected_down_bps(line)
    wished_bps = line.wished_clear_bps
    if wished_bps is None:
        wished_bps = CLEAR_MARGIN * raised_bps
    reachable_bps = REACHABLE_SHARE * line.contracted_down_bps
    return max(raised_bps, min(wished_bps, reachable_bps))


def threshold_up_bps(line: Line) -> float:
    """Return what a healthy line must reach upwards, TCP payload.

    The target of downwards, or 0.9 of the contract; no alarm hangs on it.
    """
    return min(expected_down_bps(line), CONTRACT_SHARE * line.contracted_up_bps)
