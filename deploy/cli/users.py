"""`instadistro users`: tenants and their API keys, from the first to the last."""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import dataclass, field
from uuid import UUID

import click

from deploy.cli.environment import find_environment
from deploy.cli.users_erase import erase
from deploy.cli.users_list import list_all
from shared.errors import InstaDistroError, NotReadyError
from shared.settings import Settings, load_settings

_EMAIL = re.compile(r"[!-?A-~]{1,64}@[!-?A-~]{1,189}", re.ASCII)
_SCOPES = ("read", "write", "admin")
_INSERT_USER = """
    INSERT INTO users (id, email) VALUES ($1, $2)
    ON CONFLICT (lower(email)) DO NOTHING
    RETURNING id
"""
_INSERT_KEY = "INSERT INTO api_keys (id, user_id, key_id, secret_hash, scopes) VALUES ($1, $2, $3, $4, $5)"


@dataclass(frozen=True, kw_only=True)
class NewUser:
    """A user that was just made, with a key that cannot be shown again."""

    user_id: UUID
    api_key: str = field(repr=False)


async def create_user(settings: Settings, *, email: str, operator: bool) -> NewUser:
    """Make a user and its first API key.

    Raises:
        InstaDistroError: there is a user of this address. Use another one.
        NotReadyError: the database does not answer. Start it, and try again.
    """
    import asyncpg  # noqa: PLC0415 - as below
    from uuid_utils.compat import uuid7  # noqa: PLC0415 - only this command pays for the imports

    from shared.database import create_pool  # noqa: PLC0415
    from shared.security import new_api_key  # noqa: PLC0415

    key = new_api_key(settings.api_key_pepper)
    scopes = [*_SCOPES, "operator"] if operator else list(_SCOPES)
    pool = await create_pool(settings.database_url, application_name="users", max_size=1)
    try:
        async with pool.acquire() as connection, connection.transaction():
            user_id = await connection.fetchval(_INSERT_USER, uuid7(), email)
            if user_id is None:
                raise InstaDistroError(f"there is a user {email} already; choose another address")
            await connection.execute(_INSERT_KEY, uuid7(), user_id, key.key_id, key.secret_hash, scopes)
    except asyncpg.UndefinedTableError as error:
        raise NotReadyError("the database is not migrated yet; run `instadistro migrate`, or wait for `up`") from error
    finally:
        await pool.close()
    return NewUser(user_id=user_id, api_key=key.text)


@click.group()
def users() -> None:
    """Make, list and erase users."""


users.add_command(list_all)
users.add_command(erase)


@users.command()
@click.argument("email")
@click.option("--operator", is_flag=True, help="The key may also look after the jobs of all users.")
@click.option("--json", "as_json", is_flag=True, help='Print {"user_id", "api_key"} and nothing else.')
def create(*, email: str, operator: bool, as_json: bool) -> None:
    """Make the user EMAIL and its first API key.

    The settings come from the environment, and what is missing there from the private system that runs on this machine.
    """
    if not _EMAIL.fullmatch(email):
        raise click.BadParameter("this is no e-mail address", param_hint="EMAIL")
    made = asyncio.run(create_user(load_settings(find_environment()), email=email, operator=operator))
    if as_json:
        click.echo(json.dumps({"user_id": str(made.user_id), "api_key": made.api_key}))
        return
    click.echo(f"user     {email} ({made.user_id})\nAPI key  {made.api_key}")
    click.echo("Keep the key now: it is stored only as a hash and cannot be shown again.")
