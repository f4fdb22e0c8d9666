"""From the code that an owner came back with to a long-lived token, and to whose it is."""

from __future__ import annotations

from dataclasses import dataclass, field

from services.api.accounts.platform_problems import platform_problem
from services.api.http import Fault, ProblemError
from shared.instagram import (
    INSTAGRAM_LOGIN,
    Egress,
    GraphAccount,
    GraphClient,
    InstagramError,
    OAuthClient,
    Profile,
    TokenGrant,
)


@dataclass(frozen=True, kw_only=True)
class Granted:
    """An account whose owner has granted what publishing needs."""

    profile: Profile
    token: TokenGrant = field(repr=False)
    scopes: frozenset[str] | None  # None: the platform did not say


async def ask_grant(code: str, *, oauth: OAuthClient, graph: GraphClient, egress: Egress | None) -> Granted:
    """Three calls, none of them repeated: a code works once.

    Args:
        code: what the owner came back with.
        oauth: the app.
        graph: the client that reads the profile.
        egress: the way out that the account's own calls take; the app's take none.

    Raises:
        ProblemError: `permissions_missing`, `platform_error`, or `not_ready`. The owner begins again.
    """
    try:
        grant = await oauth.exchange_code(code)
        _require_permissions(grant.scopes)
        token = await oauth.exchange_token(grant.access_token)
        account = GraphAccount(ig_user_id=grant.user_id, access_token=token.access_token, proxy=egress)
        profile = await graph.profile(account)
    except InstagramError as error:
        raise _begin_again(platform_problem(error)) from error
    return Granted(profile=profile, token=token, scopes=token.scopes or grant.scopes)


def _begin_again(problem: ProblemError) -> ProblemError:
    # The state is used up, and perhaps the code: the same request succeeds at no time, whatever the platform does.
    return ProblemError(problem.code, f"{problem.detail} The connection must be begun again.", errors=problem.errors)


def _require_permissions(granted: frozenset[str] | None) -> None:
    missing = [] if granted is None else [one for one in INSTAGRAM_LOGIN.publish_scopes if one not in granted]
    if missing:
        faults = [Fault(code="permissions_missing", message=f"{one} was not granted.", path="scope") for one in missing]
        detail = "Nothing can be published without these permissions. Begin again, and leave them ticked."
        raise ProblemError("permissions_missing", detail, errors=faults)
