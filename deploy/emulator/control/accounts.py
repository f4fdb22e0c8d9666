from __future__ import annotations

from typing import Any

from aiohttp import web

from deploy.emulator.control.bodies import NewAccount, NewAccounts, RefusedError, converted, read_json
from deploy.emulator.runtime import Emulator
from deploy.emulator.state import ACCOUNTS_MAX, Account, World
from deploy.emulator.tokens import LONG_LIFE


async def add_accounts(request: web.Request, emulator: Emulator) -> list[dict[str, str]]:
    """POST /_emulator/accounts: a number of them, or a list.

    Raises:
        RefusedError: too many, an id or token that is taken, or a body of another form.
    """
    news = _new_accounts(await read_json(request))
    world = emulator.world
    if len(world.accounts) + len(news) > ACCOUNTS_MAX:
        raise RefusedError(f"There may be at most {ACCOUNTS_MAX} accounts; {len(world.accounts)} exist.")
    now = emulator.clock.now()
    _check_new(world, news)
    accounts = []
    for new in news:
        ig_user_id = new.ig_user_id or world.new_id()
        account = Account(
            ig_user_id=ig_user_id,
            username=new.username or f"emulated_{ig_user_id}",
            access_token=new.access_token or f"EMULATOR-TOKEN-{ig_user_id}-not-a-real-token",
            token_issued_at=now,
            token_expires_at=now + LONG_LIFE,
        )
        world.add_account(account)
        accounts.append(account)
    return [
        {name: getattr(account, name) for name in ("ig_user_id", "username", "access_token")} for account in accounts
    ]


def _new_accounts(body: Any) -> list[NewAccount]:
    if isinstance(body, list):
        return converted(body, list[NewAccount])
    return [NewAccount() for _ in range(converted(body, NewAccounts).count)]


def _check_new(world: World, news: list[NewAccount]) -> None:
    ids = [new.ig_user_id for new in news if new.ig_user_id]
    tokens = [new.access_token for new in news if new.access_token]
    if len(set(ids)) < len(ids) or len(set(tokens)) < len(tokens):
        raise RefusedError("Two of the accounts have the same ig_user_id or access_token.")
    if taken := [any_id for any_id in ids if world.knows_id(any_id)]:
        raise RefusedError(f"These ids are taken: {', '.join(taken[:10])}.")
    if any(token in world.tokens for token in tokens):
        raise RefusedError("An access_token is another account's already.")
