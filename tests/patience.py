"""How long SNMP sessions of tests wait, on a machine that may be busy."""

from __future__ import annotations

from collectors.base import Timing

# For an answer that comes.
PATIENT = Timing(timeout_s=30.0, backoff_s=())
# For one that never comes.
HURRIED = Timing(timeout_s=0.3, backoff_s=(0.01, 0.01))
# For one that comes when it is asked for again, or not at all.
DOGGED = Timing(timeout_s=0.5, backoff_s=(0.01,) * 9)
