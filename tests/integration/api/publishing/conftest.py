"""Accounts, a group of them, and a post: what wishes to publish are about."""

from __future__ import annotations

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
