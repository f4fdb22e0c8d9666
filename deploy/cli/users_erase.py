"""`instadistro users erase`: a user and all that is theirs, for good."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

import click

from deploy.cli.environment import find_environment
from deploy.cli.jobs.text import plain, progress_of
from shared.errors import InstaDistroError
from shared.settings import Settings, load_settings

if TYPE_CHECKING:
    from deploy.erase import Erased, User


@click.command()
@click.argument("email")
@click.option("--yes", is_flag=True, help="Do it without asking. Needed where nobody can be asked.")
def erase(*, email: str, yes: bool) -> None:
    """Erase the user EMAIL: cancel what waits, then remove keys, media and every row. It cannot be taken back.

    What is live on Instagram stays there. Without --yes it says what would go, and asks where there is a terminal. Cut
    off, it goes on when it is given again.
    """
    settings = load_settings(find_environment())
    user, counts = asyncio.run(_look(settings, email))
    click.echo(f"The user {plain(user.email)} ({user.id}) has:")
    for name, count in counts.items():
        click.echo(f"  {name:<22}{count:>12,}")
    if not yes:
        if not sys.stdin.isatty():
            raise InstaDistroError("Nothing was erased. Give --yes to erase all of this for good.")
        click.confirm("Erase all of this for good?", abort=True)
    erased = asyncio.run(_erase(settings, user, total=sum(counts.values())))
    click.echo(f"Erased: {erased.rows:,} rows, {erased.media:,} media. The keys stopped working at once.")


async def _look(settings: Settings, email: str) -> tuple[User, dict[str, int]]:
    from deploy.cli.jobs.database import open_database  # noqa: PLC0415 - only this command pays for the imports
    from deploy.erase import count_rows, find_user  # noqa: PLC0415

    async with open_database(settings) as pool, pool.acquire() as connection:
        user = await find_user(connection, email)
        if user is None:
            raise InstaDistroError(f"There is no user {plain(email)}. See `instadistro users list`.")
        return user, await count_rows(connection, user.id)


async def _erase(settings: Settings, user: User, *, total: int) -> Erased:
    from deploy.cli.jobs.database import open_database  # noqa: PLC0415 - as above
    from deploy.erase import erase_user  # noqa: PLC0415

    async with open_database(settings) as pool:
        with progress_of(total, "rows erased") as progress:
            return await erase_user(pool, settings, user, progress=progress)
