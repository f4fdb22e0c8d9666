"""The page on which a person grants an application access, as far as a client can tell."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape
from itertools import islice
from urllib.parse import urlencode, urlsplit

from aiohttp import web

from deploy.emulator.pages.layout import page
from deploy.emulator.runtime import EMULATOR, Emulator
from deploy.emulator.state import Account
from deploy.emulator.tokens import BASIC, PERMISSIONS

_NAMES_OFFERED = 500
_ASKED = ("client_id", "redirect_uri", "response_type", "scope", "state")
_FORM = """<h1>Connect an account</h1>
<p>Application <b>{client_id}</b> asks for access. This is the emulator: no password, nothing reaches Instagram.</p>
<form method="post" action="/oauth/authorize">{hidden}
<label>Account <input name="username" list="accounts" required autofocus size="28" value="{username}"></label>
<datalist id="accounts">{names}</datalist>
<fieldset><legend>It may</legend>{boxes}</fieldset>
<button class="go" name="decision" value="allow">Allow</button>
<button name="decision" value="deny" formnovalidate>Deny</button></form>"""


class _AskedWronglyError(Exception):
    """The link to the page is not one that the platform would open."""


async def ask_consent(request: web.Request) -> web.Response:
    """GET /oauth/authorize."""
    emulator = request.app[EMULATOR]
    try:
        scopes = _checked(request.query, emulator)
    except _AskedWronglyError as error:
        return _refused(str(error))
    names = [account.username for account in islice(emulator.world.accounts.values(), _NAMES_OFFERED)]
    kept = {name: request.query.get(name, "") for name in _ASKED}
    body = _FORM.format(
        client_id=escape(kept["client_id"]),
        hidden="".join(f'<input type="hidden" name="{name}" value="{escape(text)}">' for name, text in kept.items()),
        username=escape(names[0]) if names else "",
        names="".join(f'<option value="{escape(name)}">' for name in names),
        boxes="".join(
            f'<label><input type="checkbox" name="permission" value="{scope}" checked> {scope}</label>'
            for scope in scopes
        ),
    )
    return page("Connect an account", body, is_narrow=True)


async def take_consent(request: web.Request) -> web.Response:
    """POST /oauth/authorize: the answer of the person goes back to the application, as a redirect.

    Without any `permission` all that was asked is granted. The consent is what the account grants from now on.
    """
    emulator, form = request.app[EMULATOR], await request.post()
    texts = {name: value for name, value in form.items() if isinstance(value, str)}
    try:
        scopes = _checked(texts, emulator)
        if texts.get("decision") == "deny":
            return _back(texts, error="access_denied", error_reason="user_denied", error_description="The user denied")
        account = _account(emulator, texts.get("username", ""))
    except _AskedWronglyError as error:
        return _refused(str(error))
    ticked = [scope for scope in form.getall("permission", scopes) if scope in scopes]
    emulator.world.activity[account.ig_user_id].permissions = frozenset(ticked)
    code = emulator.world.tokens.give_code(
        account.ig_user_id,
        client_id=texts["client_id"],
        redirect_uri=texts["redirect_uri"],
        permissions=ticked,
        now=emulator.clock.now(),
    )
    return _back(texts, code=code.text)


def _checked(asked: Mapping[str, str], emulator: Emulator) -> list[str]:
    client_id, redirect_uri = asked.get("client_id", ""), asked.get("redirect_uri", "")
    if not client_id or emulator.options.app_id not in {"", client_id}:
        raise _AskedWronglyError("client_id is missing, or not this application's.")
    if urlsplit(redirect_uri).scheme not in {"http", "https"} or not redirect_uri.isprintable():
        raise _AskedWronglyError("redirect_uri must be an http or https URL.")
    if asked.get("response_type") != "code":
        raise _AskedWronglyError("response_type must be code.")
    scopes = [scope for scope in re.split(r"[,\s]+", asked.get("scope", "")) if scope]
    if unknown := [scope for scope in scopes if scope not in PERMISSIONS]:
        raise _AskedWronglyError(f"Invalid scopes: {', '.join(unknown)}. There are: {', '.join(PERMISSIONS)}.")
    if BASIC not in scopes:
        raise _AskedWronglyError(f"scope must contain {BASIC}.")
    return scopes


def _account(emulator: Emulator, username: str) -> Account:
    for account in emulator.world.accounts.values():
        if username in {account.username, account.ig_user_id}:
            return account
    raise _AskedWronglyError(f"There is no account {username!r}. POST /_emulator/accounts makes some.")


def _back(asked: Mapping[str, str], **answer: str) -> web.Response:
    said = answer | ({"state": asked["state"]} if asked.get("state") else {})
    joint = "&" if urlsplit(asked["redirect_uri"]).query else "?"
    return web.Response(status=302, headers={"Location": f"{asked['redirect_uri']}{joint}{urlencode(said)}#_"})


def _refused(reason: str) -> web.Response:
    return page("Invalid request", f"<h1>Invalid request</h1><p>{escape(reason)}</p>", is_narrow=True, status=400)
