"""What the owners of accounts do meanwhile: connect again whose token is refused, clear what the app asked for."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.faults.publishing.ground import Ground

_APP = {"client_id": "fault-run", "redirect_uri": "https://example.com/connected"}
_SCOPE = "instagram_business_basic,instagram_business_content_publish"


async def mend_accounts(ground: Ground) -> int:
    """Mend every account that waits for its owner. Returns how many."""
    refused = [account async for account in all_accounts(ground, state="NEEDS_REAUTH")]
    if refused:
        await import_accounts(ground, [await _connected(ground, account) for account in refused])
    restricted = [account async for account in all_accounts(ground, state="RESTRICTED")]
    for account in restricted:
        with suppress(AssertionError):  # a moment ago it was
            await ground.api("POST", f"/v1/accounts/{account['id']}/resume")
    return len(refused) + len(restricted)


async def import_accounts(ground: Ground, accounts: list[dict[str, Any]]) -> None:
    """Bring accounts, or new tokens of known ones, in as a person would."""
    until = (datetime.now(UTC) + timedelta(days=59)).isoformat(timespec="seconds")
    lines = ["username,instagram_user_id,access_token,token_expires_at,tags"]
    lines += [f"{one['username']},{one['ig_user_id']},{one['access_token']},{until}," for one in accounts]
    body = "\n".join(lines).encode()
    await ground.api("POST", "/v1/accounts/import", data=body, headers={"Content-Type": "text/csv"})


async def all_accounts(ground: Ground, **query: str) -> Any:
    """Every account of the user, page by page."""
    params = {"limit": "100", **query}
    while True:
        page = await ground.api("GET", "/v1/accounts", params=params)
        for account in page["data"]:
            yield account
        if not page["pagination"]["has_more"]:
            return
        params["cursor"] = page["pagination"]["next_cursor"]


async def _connected(ground: Ground, account: dict[str, Any]) -> dict[str, Any]:
    """The account with a new token, by consent, code and exchange as at the platform."""
    url = ground.emulator_url
    asked = {**_APP, "response_type": "code", "scope": _SCOPE, "username": account["username"], "decision": "allow"}
    async with ground.http.post(f"{url}/oauth/authorize", data=asked, allow_redirects=False) as answer:
        code = parse_qs(urlsplit(answer.headers["Location"]).query)["code"][0]
    form = {**_APP, "client_secret": "any", "grant_type": "authorization_code", "code": code}
    short = await ground.call("POST", f"{url}/oauth/access_token", data=form)
    query = {"grant_type": "ig_exchange_token", "client_secret": "any", "access_token": _flat(short)["access_token"]}
    long = await ground.call("GET", f"{url}/access_token", params=query)
    return {
        "username": account["username"],
        "ig_user_id": account["instagram_user_id"],
        "access_token": long["access_token"],
    }


def _flat(body: dict[str, Any]) -> dict[str, Any]:
    inner: dict[str, Any] = body["data"][0] if "data" in body else body
    return inner
