"""The gateway as an application: every route, behind the middlewares."""

from __future__ import annotations

from aiohttp import web

from services.api.accounts.routes import ROUTES as ACCOUNTS
from services.api.connections import connect
from services.api.deps import DEPS, Deps
from services.api.distributions.routes import ROUTES as DISTRIBUTIONS
from services.api.groups.routes import ROUTES as GROUPS
from services.api.health.routes import ROUTES as HEALTH
from services.api.http.bodies import JSON_BYTES_MAX
from services.api.http.errors import answer_problems
from services.api.http.identity import identify, sign_answer
from services.api.me.routes import ROUTES as ME
from services.api.media.routes import ROUTES as MEDIA
from services.api.media.serve_media import add_public_media
from services.api.performance.routes import ROUTES as PERFORMANCE
from services.api.posts.routes import ROUTES as POSTS
from services.api.publications.routes import ROUTES as PUBLICATIONS
from services.api.routing import add_routes
from shared.lifecycle import Check, add_probes
from shared.performance import performance_middleware

ROUTES = (*ME, *ACCOUNTS, *HEALTH, *GROUPS, *MEDIA, *POSTS, *DISTRIBUTIONS, *PUBLICATIONS, *PERFORMANCE)


def create_app(deps: Deps) -> web.Application:
    """The application; nothing is opened or sent before it serves."""
    app = web.Application(
        middlewares=[identify, performance_middleware, answer_problems], client_max_size=JSON_BYTES_MAX
    )
    app[DEPS] = deps
    app.on_response_prepare.append(sign_answer)
    add_routes(app, ROUTES)
    add_public_media(app)
    add_probes(app, readiness_checks(deps))
    return app


def readiness_checks(deps: Deps) -> dict[str, Check]:
    """What the gateway needs to serve. Redis is not in it: without the cache it is slower, not absent."""

    async def ask_postgresql() -> object:
        async with connect(deps.pool) as connection:
            return await connection.fetchval("SELECT 1")

    return {"postgresql": ask_postgresql}
