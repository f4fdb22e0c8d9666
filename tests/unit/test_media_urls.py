"""Addresses of media: signed, bound to their key, and closed when their time is over."""

from __future__ import annotations

import time
from urllib.parse import parse_qs, urlsplit

import pytest

from shared.security import MEDIA_URL_LIFE_S, MediaUrls

KEY = "a" * 32 + ".jpg"


@pytest.fixture
def urls():
    return MediaUrls("https://posts.example.com/", secret=b"a secret of the tests")


def parameters(address: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}


def test_an_address_is_absolute_and_opens_its_file(urls):
    """It begins with the public URL, names the key, and holds what opens it."""
    address = urls.address(KEY)

    assert address.startswith(f"https://posts.example.com/media/{KEY}?")
    assert urls.opens(KEY, **parameters(address))


def test_an_address_holds_as_long_as_a_container_needs_it():
    """A container lives 24 hours; its media can be fetched for 26."""
    expires = int(parameters(MediaUrls("http://h", secret=b"s").address(KEY))["expires"])

    assert MEDIA_URL_LIFE_S == 26 * 3600
    assert abs(expires - time.time() - MEDIA_URL_LIFE_S) < 60


def test_an_address_closes(urls, monkeypatch):
    """At its second of expiry it opens nothing any more."""
    given = parameters(urls.address(KEY, life_s=100))
    end = int(given["expires"])

    monkeypatch.setattr(time, "time", lambda: end - 0.001)
    assert urls.opens(KEY, **given)
    monkeypatch.setattr(time, "time", lambda: float(end))
    assert not urls.opens(KEY, **given)


def test_an_address_opens_no_other_file(urls):
    """A signature is worth nothing for another key."""
    assert not urls.opens("b" * 32 + ".jpg", **parameters(urls.address(KEY)))


def test_another_secret_opens_nothing(urls):
    """Who knows the public URL alone cannot make addresses."""
    other = MediaUrls("https://posts.example.com", secret=b"another secret")

    assert not urls.opens(KEY, **parameters(other.address(KEY)))


@pytest.mark.parametrize("expires", ["", "later", "-1", "1e12", "9" * 13, "٣٣٣٣٣٣٣٣٣٣٣", " 99999999999"])
def test_a_time_that_is_none_opens_nothing(urls, expires):
    """Nothing but a plain number of seconds is a time, however it is signed."""
    signature = urls._signature(KEY, expires)  # noqa: SLF001 - the best that an attacker could hope for

    assert not urls.opens(KEY, expires=expires, signature=signature)


@pytest.mark.parametrize("signature", ["", "0" * 64, "ü", "\udcff"])
def test_a_signature_that_is_none_opens_nothing(urls, signature):
    """Whatever stands in its place, the answer is no and not an error."""
    expires = parameters(urls.address(KEY))["expires"]

    assert not urls.opens(KEY, expires=expires, signature=signature)


def test_an_address_is_told_from_all_others(urls):
    """Only what was given out, whole and unchanged, is one of ours."""
    ours = urls.address(KEY)
    host, _, rest = ours.partition("/media/")

    assert urls.is_ours(ours)
    for other in (
        urls.address(KEY, life_s=0),
        ours.replace("https:", "http:"),
        f"{host}.example.com/media/{rest}",
        f"{host}@example.com/media/{rest}",
        f"{host}/media/../{rest}",
        f"{host}/{rest}",
        ours + "0",
        ours.partition("?")[0],
        "",
    ):
        assert not urls.is_ours(other)
