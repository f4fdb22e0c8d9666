"""The test whether the platform can fetch media: through the public address, without credentials, as it will do."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from urllib.parse import urlsplit

import aiohttp

from shared.security.errors import UnsafeUrlError
from shared.security.media_urls import MediaUrls
from shared.security.urls import GuardedResolver, Origin, is_private_literal
from shared.settings import Settings

#: One look at one medium, in seconds.
LOOK_DEADLINE_S = 5.0
# The first bytes tell enough; a server that knows no ranges sends more, which is not read.
_HEADERS = {"Range": "bytes=0-4095", "Accept-Encoding": "identity", "User-Agent": "InstaDistro"}
_ADDRESS_LIFE_S = 300
_REDIRECTS = range(300, 400)
_FINE = (HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT)
_WORD_CHARS_MAX = 100
_PLATFORM_HOSTS = frozenset({"graph.instagram.com", "graph.facebook.com"})


class PublicFetch:
    """Looks at media through their public addresses."""

    def __init__(self, urls: MediaUrls, *, public_url: str, from_internet: bool) -> None:
        """Take where media are to be fetched.

        Args:
            urls: makes the addresses.
            public_url: what they begin with.
            from_internet: the platform is Meta's: only https on the public internet will do. A stand-in in the same
                network fetches from wherever it can.
        """
        self._urls = urls
        self._origin = Origin.of(public_url)
        self._from_internet = from_internet

    async def look(self, key: str, *, mime: str) -> str | None:
        """What would keep the platform from fetching the file `key`, as half a sentence; None if nothing does.

        Args:
            key: of the file.
            mime: the Content-Type it must come with.
        """
        if self._from_internet and (refusal := _refusal(self._origin)):
            return refusal
        address = self._urls.address(key, life_s=_ADDRESS_LIFE_S)
        try:
            async with (
                asyncio.timeout(LOOK_DEADLINE_S),
                self._session() as session,
                session.get(address, allow_redirects=False) as response,
            ):
                return await _fault(response, mime=mime)
        except UnsafeUrlError:
            return f"the host {self._origin.host!r} of PUBLIC_URL is not on the public internet"
        except TimeoutError:
            return f"nothing answered within {LOOK_DEADLINE_S:g} s"
        except aiohttp.ClientConnectorError as error:
            return f"no connection was made: {error}"
        except (aiohttp.ClientError, UnicodeError) as error:  # their texts may hold the address, which opens the file
            return f"no answer came: {type(error).__name__}"

    def _session(self) -> aiohttp.ClientSession:
        exempt = () if self._from_internet else (self._origin,)
        resolver = GuardedResolver(aiohttp.ThreadedResolver(), exempt=exempt)
        connector = aiohttp.TCPConnector(resolver=resolver, use_dns_cache=False, force_close=True)
        return aiohttp.ClientSession(
            connector=connector, cookie_jar=aiohttp.DummyCookieJar(), headers=_HEADERS, auto_decompress=False
        )


def open_public_fetch(settings: Settings) -> PublicFetch | None:
    """The test as the settings have it; None if it is off."""
    if settings.public_fetch_test == "off":
        return None
    return PublicFetch(
        MediaUrls(settings.public_url, secret=settings.cursor_secret),
        public_url=settings.public_url,
        from_internet=urlsplit(settings.instagram_graph_url).hostname in _PLATFORM_HOSTS,
    )


def _refusal(origin: Origin) -> str | None:
    if origin.scheme != "https":
        return "PUBLIC_URL begins with http://, and Instagram fetches from https:// only"
    # Names are judged by what they resolve to, when the connection is made.
    if is_private_literal(origin.host):
        return f"the host {origin.host!r} of PUBLIC_URL is not on the public internet"
    return None


async def _fault(response: aiohttp.ClientResponse, *, mime: str) -> str | None:
    if response.status in _REDIRECTS:
        target = _target(response.headers.get("Location", ""))
        return f"it is redirected to {target} with status {response.status}, as to a login; serve the file itself"
    if response.status not in _FINE:
        return f"the answer has status {response.status}"
    if response.content_type != mime:
        page = (
            ": a web page, such as a login or a warning, in place of the file"
            if "html" in response.content_type
            else ""
        )
        return f"the answer has the Content-Type {_shown(response.content_type)}{page}; {mime} is right"
    if not await response.content.read(1):
        return "the answer is empty"
    return None


def _target(location: str) -> str:
    try:
        return _shown(urlsplit(location).hostname or "another place")
    except ValueError:
        return "what is no URL"


def _shown(word: str) -> str:
    """A server's word, fit to be stored and shown: headers may hold any bytes, and thousands of them."""
    return word.encode("ascii", "replace").decode()[:_WORD_CHARS_MAX]
