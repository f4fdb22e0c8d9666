"""What follows from a band, and which gate a publication is held by."""

from datetime import UTC, datetime
from typing import Any, cast
from uuid import UUID

import pytest

from services.health.effects import caution_for
from shared.accounts import AccountState, Caution
from shared.publications import Target, held_because

ACCOUNT = {"removed_at": None, "state": "ACTIVE", "caution": "none"}


@pytest.mark.parametrize(
    ("band", "caution"),
    [
        ("critical", Caution.HELD),
        ("at_risk", Caution.HALVED),
        ("degraded", Caution.NONE),
        ("watch", Caution.NONE),
        ("healthy", Caution.NONE),
        ("provisional", Caution.NONE),
    ],
)
def test_only_the_two_worst_bands_have_consequences(band, caution):
    """Nothing follows from what nobody can judge yet."""
    assert caution_for(band) is caution


@pytest.mark.parametrize(
    ("account", "egress", "was_sent", "reason"),
    [
        ({"caution": "held"}, None, False, "health_critical"),
        ({"caution": "held"}, "down", False, "health_critical"),
        ({"caution": "halved"}, "up", False, None),
        ({"caution": "held", "state": "PAUSED"}, None, False, "account_paused"),
        ({"caution": "held", "removed_at": datetime(2026, 1, 1, tzinfo=UTC)}, None, False, "account_removed"),
        ({"caution": "held"}, "up", True, None),
        ({"caution": "held"}, "down", True, "egress_down"),
        ({"caution": "held", "state": "PAUSED"}, None, True, "account_paused"),
    ],
)
def test_the_first_closed_gate_gives_the_reason(account, egress, was_sent, reason):
    """Removed, state, health, egress; what was sent is looked up however bad the health is."""
    assert held_because(cast("Any", {**ACCOUNT, **account}), egress, was_sent=was_sent) == reason


@pytest.mark.parametrize(
    ("caution", "unfit", "barred"),
    [
        (Caution.NONE, None, None),
        (Caution.HALVED, None, "cafe is at risk: nothing new is distributed to it until its health is better."),
        (Caution.HELD, "cafe is held: its health is critical.", "cafe is held: its health is critical."),
    ],
)
def test_an_account_at_risk_takes_part_in_no_new_distribution(caution, unfit, barred):
    """A post that a person sends to it goes all the same; to one that is critical it does not."""
    target = Target(account_id=UUID(int=1), username="cafe", state=AccountState.ACTIVE, caution=caution)

    assert (target.unfit_because, target.barred_because) == (unfit, barred)
