from __future__ import annotations

import pytest

from shared.instagram import INSTAGRAM_LOGIN, Endpoints, endpoints_of
from shared.instagram.grants import read_code_grant, read_token_grant

TOKEN = "IGAA-no-token-of-anyone"


@pytest.mark.parametrize("graph_url", ["https://graph.instagram.com", "https://graph.instagram.com/"])
def test_meta_s_addresses_are_on_three_hosts(graph_url):
    """The API carries the version, the token endpoints beside it do not."""
    assert endpoints_of(INSTAGRAM_LOGIN, graph_url=graph_url, version="v25.0") == Endpoints(
        api="https://graph.instagram.com/v25.0",
        authorize="https://www.instagram.com/oauth/authorize",
        code="https://api.instagram.com/oauth/access_token",
        exchange="https://graph.instagram.com/access_token",
        refresh="https://graph.instagram.com/refresh_access_token",
    )


def test_a_stand_in_has_all_addresses_on_its_own_host():
    """No call leaves for Meta when another host stands in for it."""
    assert endpoints_of(INSTAGRAM_LOGIN, graph_url="http://emulator:8090/", version="") == Endpoints(
        api="http://emulator:8090",
        authorize="http://emulator:8090/oauth/authorize",
        code="http://emulator:8090/oauth/access_token",
        exchange="http://emulator:8090/access_token",
        refresh="http://emulator:8090/refresh_access_token",
    )


@pytest.mark.parametrize(
    ("permissions", "scopes"),
    [
        ("a,b", {"a", "b"}),
        ("a, b,", {"a", "b"}),
        (["a", "b"], {"a", "b"}),
        ("", None),
        ([], None),
        (None, None),
        ([1], None),
        ({"a": 1}, None),
    ],
)
def test_granted_scopes_are_read_from_text_and_list(permissions, scopes):
    """What was not said is None: an empty answer never takes a scope away."""
    body = {"access_token": TOKEN, "user_id": 5, "permissions": permissions}

    assert read_code_grant(body).scopes == read_token_grant(body).scopes == scopes


@pytest.mark.parametrize("seconds", [None, 0, -1, True, "soon"])
def test_an_unsaid_life_is_not_guessed(seconds):
    """The token is worth keeping all the same."""
    assert read_token_grant({"access_token": TOKEN, "expires_in": seconds}).expires_in_s is None


def test_a_grant_never_shows_its_token():
    """repr of a grant is fit for a log."""
    body = {"access_token": TOKEN, "user_id": 5, "expires_in": 5}

    assert TOKEN not in f"{read_code_grant(body)!r} {read_token_grant(body)!r}"
