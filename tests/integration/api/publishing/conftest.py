"""Accounts, a group of them, and a post: what wishes to publish are about."""

from __future__ import annotations

from dataclasses import replace

import pytest


@pytest.fixture
async def accounts(alice):
    return await alice.add_accounts(3)


@pytest.fixture
async def group(alice, accounts):
    return await alice.add_group(accounts)


@pytest.fixture
async def post(alice):
    return await alice.add_post()


@pytest.fixture
def limited_to(alice):
    """Alice with a key for these accounts alone."""

    async def limited_to(account_ids):
        made = await alice.post(
            "/v1/api-keys", json={"name": "some", "scopes": ["read", "write"], "account_ids": account_ids}
        )
        assert made.status == 201, made.body
        return replace(alice, api_key=made.body["key"])

    return limited_to
