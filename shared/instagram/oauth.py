"""How an owner connects an account: the page to send them to, and from the code it gives to a long-lived token."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlencode

import aiohttp

from shared.instagram.calls import Caller, Observe
from shared.instagram.flavour import INSTAGRAM_LOGIN, Flavour, endpoints_of
from shared.instagram.grants import CodeGrant, TokenGrant, read_code_grant, read_token_grant
from shared.instagram.wire import Call

_CODE_TAIL = "#_"  # the platform puts it behind every code; a browser that cuts the fragment off is not sure


class OAuthClient:
    """The app as it asks for access: send the owner to `authorize_url`, then exchange the code, then the token.

    The granted scopes may be fewer than were asked for: compare them with `Flavour.publish_scopes`. Whose token it is
    the profile tells.

    The two exchanges raise:
        GraphError: refused. `advice` of its rule says what the owner or the operator can do.
        GraphUnclearError: no usable answer; a code works once, so let the owner start again.
        GraphUnreachableError: nothing was sent; repeat it.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        *,
        base_url: str,
        app_id: str,
        app_secret: str,
        redirect_uri: str,
        deadline_s: float,
        flavour: Flavour = INSTAGRAM_LOGIN,
        observe: Observe | None = None,
    ) -> None:
        """Bind the app to a session and a server.

        Args:
            session: from `open_graph_session`; it stays the caller's.
            base_url: scheme and host of the API. Where it is not Meta's, the other addresses are on it too.
            app_id: the app's id at Instagram.
            app_secret: the app's secret at Instagram.
            redirect_uri: where the owner comes back to, to the letter as it is registered with the app.
            deadline_s: seconds for one whole exchange.
            flavour: the way into the platform.
            observe: told how each call ended, as Caller says.
        """
        self._caller = Caller(session, observe=observe)
        self._flavour = flavour
        self._endpoints = endpoints_of(flavour, graph_url=base_url, version="")
        self._app_id = app_id
        self._app_secret = app_secret
        self._redirect_uri = redirect_uri
        self._deadline_s = deadline_s

    def authorize_url(self, *, state: str, scopes: Iterable[str]) -> str:
        """Where an owner grants access.

        Args:
            state: comes back with the code; make it unguessable and good for one owner and one time.
            scopes: what to ask for, such as `Flavour.publish_scopes`.
        """
        query = {
            "client_id": self._app_id,
            "redirect_uri": self._redirect_uri,
            "response_type": "code",
            "scope": ",".join(scopes),
            "state": state,
        }
        return f"{self._endpoints.authorize}?{urlencode(query)}"

    async def exchange_code(self, code: str) -> CodeGrant:
        """A token for one hour, for the code that the owner came back with."""
        code = code.removesuffix(_CODE_TAIL)
        form = {
            "client_id": self._app_id,
            "client_secret": self._app_secret,
            "grant_type": "authorization_code",
            "redirect_uri": self._redirect_uri,
            "code": code,
        }
        call = Call(
            operation="exchange_code",
            method="POST",
            url=self._endpoints.code,
            secrets=(self._app_secret, code),
            form=form,
            deadline_s=self._deadline_s,
        )
        return await self._caller.ask(call, read_code_grant)

    async def exchange_token(self, access_token: str) -> TokenGrant:
        """A token for 60 days, for one of an hour."""
        # Documented as parameters only, the secret too: nothing here may show this call's URL.
        query = {
            "grant_type": self._flavour.exchange_grant,
            "client_secret": self._app_secret,
            "access_token": access_token,
        }
        call = Call(
            operation="exchange_token",
            method="GET",
            url=self._endpoints.exchange,
            secrets=(self._app_secret, access_token),
            query=query,
            deadline_s=self._deadline_s,
        )
        return await self._caller.ask(call, read_token_grant)
