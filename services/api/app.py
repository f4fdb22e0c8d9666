"""The gateway as an application: every route, behind the middlewares."""

from __future__ import annotations

from aiohttp import web

from services.api.accounts.routes import ROUTES as ACCOUNTS
from services.api.alerts.routes import ROUTES as ALERTS
from services.api.analytics.routes import ROUTES as ANALYTICS
from services.api.audit.routes import ROUTES as AUDIT
from services.api.connections import connect
from services.api.deps import DEPS, Deps
from services.api.distributions.routes import ROUTES as DISTRIBUTIONS
from services.api.events.routes import ROUTES as EVENTS
from services.api.groups.routes import ROUTES as GROUPS
from services.api.health.history_routes import ROUTES as HEALTH_HISTORY
from services.api.health.routes import ROUTES as HEALTH
from services.api.http.bodies import JSON_BYTES_MAX
from services.api.http.errors import answer_problems
from services.api.http.identity import identify, sign_answer
from services.api.imports.routes import ROUTES as IMPORTS
from services.api.jobs.routes import ROUTES as JOBS
from services.api.keys.routes import ROUTES as KEYS
from services.api.limits.limit_requests import tell_limits
from services.api.me.routes import ROUTES as ME
from services.api.media.drop_removed import keep_dropping
from services.api.media.routes import ROUTES as MEDIA
from services.api.media.serve_media import add_public_media
from services.api.oauth.routes import ROUTES as OAUTH
from services.api.openapi.serve_description import add_description
from services.api.operations.routes import ROUTES as OPERATIONS
from services.api.performance.routes import ROUTES as PERFORMANCE
from services.api.post_queues.routes import ROUTES as POST_QUEUES
from services.api.posts.routes import ROUTES as POSTS
from services.api.protocols.routes import ROUTES as PROTOCOLS
from services.api.proxies.routes import ROUTES as PROXIES
from services.api.publications.routes import ROUTES as PUBLICATIONS
from services.api.routing import add_routes
from services.api.schedules.routes import ROUTES as SCHEDULES
from services.api.webhooks.delivery_routes import ROUTES as DELIVERIES
from services.api.webhooks.routes import ROUTES as WEBHOOKS
from shared.lifecycle import Check, add_probes
from shared.performance import performance_middleware

ROUTES = (
    *ME,
    *KEYS,
    *ACCOUNTS,
    *OAUTH,
    *IMPORTS,
    *OPERATIONS,
    *AUDIT,
    *HEALTH,
    *HEALTH_HISTORY,
    *ANALYTICS,
    *ALERTS,
    *GROUPS,
    *PROXIES,
    *PROTOCOLS,
    *MEDIA,
    *POSTS,
    *DISTRIBUTIONS,
    *PUBLICATIONS,
    *SCHEDULES,
    *POST_QUEUES,
    *EVENTS,
    *WEBHOOKS,
    *DELIVERIES,
    *JOBS,
    *PERFORMANCE,
)


def create_app(deps: Deps) -> web.Application:
    """The application; nothing is opened or sent before it serves."""
    app = web.Application(
        middlewares=[identify, performance_middleware, answer_problems], client_max_size=JSON_BYTES_MAX
    )
    app[DEPS] = deps
    app.on_shutdown.append(_end_streams)
    app.on_response_prepare.extend((tell_limits, sign_answer))
    add_routes(app, ROUTES)
    add_public_media(app)
    app.cleanup_ctx.append(keep_dropping)
    add_description(app, ROUTES)
    add_probes(app, readiness_checks(deps))
    return app


async def _end_streams(app: web.Application) -> None:
    # They would never end by themselves, and hold up the drain for all of its time.
    app[DEPS].events.stop()


def readiness_checks(deps: Deps) -> dict[str, Check]:
    """What the gateway needs to serve. Redis is not in it: without the cache it is slower, not absent."""

    async def ask_postgresql() -> object:
        async with connect(deps.pool) as connection:
            return await connection.fetchval("SELECT 1")

    return {"database": ask_postgresql}
