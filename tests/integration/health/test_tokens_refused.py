"""A token that the platform refuses takes its account to its owner; one that it takes again brings it back."""

import pytest

from tests.seeds import seed_publications

HOUR_S = 3_600


async def test_a_token_refused_twice_needs_its_owner(clinic):
    """The second refusal comes a minute after the first; then the account is held before its publications fail."""
    await clinic.fail(190, 460, times=2)

    await clinic.sweep()
    first = await clinic.row()
    await clinic.come_due()
    await clinic.sweep()
    second = await clinic.row()

    assert (first["state"], second["state"], second["state_reason"]) == ("ACTIVE", "NEEDS_REAUTH", "reauth_required")
    assert 60 < first["next_s"] < 90
    assert 0.85 * HOUR_S < second["ask_s"] < 1.15 * HOUR_S
    events = await clinic.pool.fetch("SELECT type FROM events WHERE type = 'account.reauth_required'")
    assert len(events) == 1


async def test_two_refusals_at_once_are_one(clinic):
    """A hiccup of a moment takes no token away."""
    await clinic.fail(190, times=2)

    await clinic.sweep()
    await clinic.come_due(after_s=5)
    await clinic.sweep()

    assert (await clinic.row())["state"] == "ACTIVE"


async def test_in_an_incident_no_account_is_blamed(clinic):
    """What hits many at once is no account's trouble."""
    await clinic.pool.execute(
        "INSERT INTO incidents (id, error_class, accounts, share, user_ids, paused_until) "
        "VALUES (gen_random_uuid(), 'reauth', 50, 0.9, '{}', now())"
    )
    await clinic.fail(190, times=2)

    await clinic.sweep()
    await clinic.come_due()
    await clinic.sweep()

    row = await clinic.row()
    assert (row["state"], row["finding"]) == ("ACTIVE", "reauth")


async def need_owner(clinic, *, finding, state="NEEDS_REAUTH", reason="reauth_required"):
    """The account waits for its owner, with a publication that is held for it."""
    await clinic.sweep()
    await clinic.come_due()
    await clinic.pool.execute("UPDATE health_checks SET finding = $1", finding)
    await clinic.pool.execute(
        "UPDATE accounts SET state = $1, state_reason = $2, paused_from = CASE WHEN $1 = 'PAUSED' THEN 'ACTIVE' END",
        state,
        reason,
    )


async def test_an_account_whose_token_is_taken_again_goes_on(clinic):
    """Its owner has cleared the checkpoint: nobody has to connect it again, and what was held is released."""
    await need_owner(clinic, finding="checkpoint")
    [publication] = await seed_held(clinic)

    await clinic.sweep()

    row = await clinic.row()
    assert (row["state"], row["state_reason"], row["finding"]) == ("ACTIVE", None, "ok")
    assert await clinic.pool.fetchval("SELECT state FROM publications WHERE id = $1", publication) == "scheduled"
    assert await clinic.pool.fetchval("SELECT count(*) FROM events WHERE type = 'account.connected'") == 1


async def seed_held(clinic):
    ids = await seed_publications(clinic.pool, clinic.tenant)
    await clinic.pool.execute("DELETE FROM outbox")
    await clinic.pool.execute("UPDATE publications SET state = 'held', reason = 'reauth_required'")
    return ids


@pytest.mark.parametrize(
    "wishes",
    [
        {"finding": "ok"},
        {"finding": None},
        {"finding": "reauth", "reason": "token_expired"},
        {"finding": "checkpoint", "state": "RESTRICTED", "reason": "account_restricted"},
        {"finding": "reauth", "state": "PAUSED", "reason": None},
    ],
    ids=["a read was never refused", "nobody asked", "the token is over", "restricted", "paused"],
)
async def test_a_read_brings_back_nothing_else(clinic, wishes):
    """Where the publisher, a date or a person knows more than a read shows, the account stays as it is."""
    await need_owner(clinic, **wishes)

    await clinic.sweep()

    row = await clinic.row()
    assert (row["state"], row["finding"]) == (wishes.get("state", "NEEDS_REAUTH"), "ok")
