"""The domain's rules of accounts: states, arrows, the one function that moves an account along them, and warm-up.

And how an account is opened for a call at the platform: with its token, by the way out that it must take.
"""

from shared.accounts.caution import CAUTION_COLUMN, Caution, caution_event, halve
from shared.accounts.look_at_egress import EGRESS_COLUMNS, EgressFinding, find_held_up, look_at_egress, write_egress
from shared.accounts.open_account import (
    ACCOUNT_COLUMNS,
    ACCOUNT_JOINS,
    CREDENTIALS_COLUMN,
    TOKEN_COLUMN,
    open_account,
    open_egress,
)
from shared.accounts.plan_checks import plan_checks
from shared.accounts.states import ARROWS, PUBLISHABLE, AccountState, Owner
from shared.accounts.swarm import BANDS, OpenIncident, SwarmHealth, WorstAccount, read_swarm, swarm_score
from shared.accounts.transition import transition_account
from shared.accounts.warmup import DayRecord, Slot, WarmUp, begin_day, has_day_passed, next_day, next_slot

__all__ = [
    "ACCOUNT_COLUMNS",
    "ACCOUNT_JOINS",
    "ARROWS",
    "BANDS",
    "CAUTION_COLUMN",
    "CREDENTIALS_COLUMN",
    "EGRESS_COLUMNS",
    "PUBLISHABLE",
    "TOKEN_COLUMN",
    "AccountState",
    "Caution",
    "DayRecord",
    "EgressFinding",
    "OpenIncident",
    "Owner",
    "Slot",
    "SwarmHealth",
    "WarmUp",
    "WorstAccount",
    "begin_day",
    "caution_event",
    "find_held_up",
    "halve",
    "has_day_passed",
    "look_at_egress",
    "next_day",
    "next_slot",
    "open_account",
    "open_egress",
    "plan_checks",
    "read_swarm",
    "swarm_score",
    "transition_account",
    "write_egress",
]
