from __future__ import annotations

from collections.abc import Iterable

from aiohttp import web

from deploy.emulator.clock import Clock
from deploy.emulator.control import add_control_routes
from deploy.emulator.graph import add_graph_routes
from deploy.emulator.ids import Ids
from deploy.emulator.options import Options
from deploy.emulator.pages import ask_consent, show_post, show_thumbnail, take_consent
from deploy.emulator.runtime import EMULATOR, Emulator
from deploy.emulator.state import Account, World

_BODY_BYTES_MAX = 4 * 1024 * 1024


def create_app(
    accounts: Iterable[Account] = (), *, options: Options | None = None, clock: Clock | None = None
) -> web.Application:
    """The emulator as an application, with all of its state in memory.

    Args:
        accounts: those that are there from the start and after every reset.
        options: where the platform leaves a choice; `POST /_emulator/reset` can change them.
        clock: the time it lives in; the machine's unless given.
    """
    clock = clock or Clock()
    options = options or Options()
    ids = Ids(now=clock.now())
    kept = tuple(accounts)
    app = web.Application(client_max_size=_BODY_BYTES_MAX)
    app[EMULATOR] = Emulator(
        clock=clock, start_options=options, start_accounts=kept, options=options, ids=ids, world=World(kept, ids=ids)
    )
    add_control_routes(app.router)
    app.router.add_route("GET", "/p/{shortcode:[A-Za-z0-9_-]{1,16}}/", show_post)
    app.router.add_route("GET", "/p/{shortcode:[A-Za-z0-9_-]{1,16}}/thumbnail.jpg", show_thumbnail)
    app.router.add_route("GET", "/oauth/authorize", ask_consent)
    app.router.add_route("POST", "/oauth/authorize", take_consent)
    add_graph_routes(app.router)
    app.on_shutdown.append(_stop)
    app.on_cleanup.append(_close)
    return app


async def _stop(app: web.Application) -> None:
    app[EMULATOR].stopping.set()


async def _close(app: web.Application) -> None:
    await app[EMULATOR].close()
