"""`instadistro users list`: who there is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from deploy.cli.jobs.text import moment, plain

if TYPE_CHECKING:
    from deploy.erase import User


@click.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list and nothing else.")
def list_all(*, as_json: bool) -> None:
    """List all users, with how many accounts each has."""
    from deploy.cli.jobs.database import in_transaction  # noqa: PLC0415 - only this command pays for the imports
    from deploy.erase import list_users  # noqa: PLC0415

    found = in_transaction(list_users)
    if as_json:
        click.echo(json.dumps([_as_json(user) for user in found], indent=2))
        return
    for user in found:
        accounts = f"{user.accounts} account{'' if user.accounts == 1 else 's'}"
        click.echo(f"{plain(user.email)}  {accounts}, since {moment(user.created_at)}, {user.id}")
    if not found:
        click.echo("There is no user yet. Make one: instadistro users create EMAIL")


def _as_json(user: User) -> dict[str, object]:
    return {
        "user_id": str(user.id),
        "email": user.email,
        "accounts": user.accounts,
        "created_at": moment(user.created_at),
    }
