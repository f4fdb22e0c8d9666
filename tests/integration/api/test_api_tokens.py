"""When a token that was stored is to be renewed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

_DAYS_LEFT = "SELECT extract(epoch FROM refresh_at - now())::float8 / 86400 AS days FROM account_tokens"


async def days_until_renewal(gateway):
    [row] = await gateway.rows(_DAYS_LEFT)
    return row["days"]


async def store(alice, *, token="A-TOKEN-not-real", days=None):  # noqa: S107 - no real one
    """By an import, which adds the account or changes it."""
    expires_at = "" if days is None else (datetime.now(UTC) + timedelta(days=days)).isoformat()
    header = "username,instagram_user_id,access_token,token_expires_at"
    answer = await alice.import_csv(f"{header}\ncafe,1001,{token},{expires_at}")
    assert answer.status < 300, answer.body


@pytest.mark.parametrize(
    ("days", "least", "most"),
    [(60, 30, 36), (None, 1, 1.25), (40, 20, 24), (1.5, 1, 1.25), (0.5, 0.49, 0.5), (10_000, 30, 36)],
)
async def test_a_stored_token_has_its_date_of_renewal(gateway, alice, days, least, most):
    """At half of its life, after a day at the earliest, and when it ends at the latest."""
    await store(alice, days=days)

    assert least - 0.01 <= await days_until_renewal(gateway) <= most + 0.01


async def test_the_date_follows_what_is_learnt_of_the_token(gateway, alice):
    """Another end of the same token, and another token, both plan anew."""
    await store(alice)
    await store(alice, days=60)
    known = await days_until_renewal(gateway)
    await gateway.rows("UPDATE account_tokens SET obtained_at = now() - interval '40 days', refreshing_until = now()")
    await store(alice, token="ANOTHER-TOKEN-not-real")

    assert known >= 29.99
    assert await days_until_renewal(gateway) <= 1.26
    [row] = await gateway.rows("SELECT now() - obtained_at AS age, refreshing_until FROM account_tokens")
    assert (row["age"] < timedelta(hours=1), row["refreshing_until"]) == (True, None)
