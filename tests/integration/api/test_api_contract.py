"""The description is served to programs and to people, and answers are held against it."""

from __future__ import annotations

import re
from dataclasses import replace

import msgspec
import pytest

from services.api.app import ROUTES
from services.api.openapi.document import describe
from tests.contract import ContractError, check_answer

SIGNED = {
    "Content-Type": "application/json",
    "ETag": '"1"',
    "X-Request-ID": "12345678",
    "X-Response-Time": "1ms",
    "Server-Timing": "app;dur=1",
}
ME = {
    "user_id": "01890a5d-ac96-774b-bcce-b302099a8057",
    "email": "alice@example.com",
    "key_id": "0f88ad4b6ee44377",
    "scopes": ["read"],
    "account_ids": None,
}


@pytest.fixture
async def nobody(alice):
    """Somebody without a key."""
    return replace(alice, api_key=None)


async def test_programs_get_the_description_without_a_key(nobody):
    """/openapi.json describes the routes as they are, and is sent once to whoever has it."""
    answer = await nobody.get("/openapi.json")
    again = await nobody.get("/openapi.json", headers={"If-None-Match": answer.headers["ETag"]})

    assert answer.body == msgspec.json.decode(msgspec.json.encode(describe(ROUTES)))
    assert (again.status, again.content) == (304, b"")


async def test_people_get_a_page_that_needs_no_other_server(gateway):
    """/docs and all that it loads come from the gateway, and the browser is told to load nothing else."""
    page = await gateway.http.get(f"{gateway.url}/docs")
    text = await page.text()
    loaded = re.findall(r'(?:src|href)="([^"]+)"', text)
    kinds = {}
    for place in loaded:
        async with gateway.http.get(f"{gateway.url}/{place}") as answer:
            kinds[place] = (answer.status, answer.content_type)

    assert page.content_type == "text/html"
    assert page.headers["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self';")
    assert kinds == {
        "docs/swagger-ui.css": (200, "text/css"),
        "docs/favicon-32x32.png": (200, "image/png"),
        "openapi.json": (200, "application/json"),
        "docs/swagger-ui-bundle.js": (200, "text/javascript"),
        "docs/start.js": (200, "text/javascript"),
    }


@pytest.mark.parametrize("name", ["LICENSE", "..%2Fflask_swagger_ui.py", "nothing.js"])
async def test_nothing_but_the_page_s_files_is_served(nobody, name):
    """What else lies beside the page's files is not found."""
    answer = await nobody.get(f"/docs/{name}")

    assert (answer.status, answer.body["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    ("status", "headers", "body", "told"),
    [
        (418, SIGNED, ME, "get_me does not declare"),
        (500, {**SIGNED, "Content-Type": "application/problem+json"}, {"code": "internal_error"}, "a crash"),
        (200, SIGNED, {**ME, "user_id": 1}, "user_id"),
        (200, SIGNED, {**ME, "shoe_size": 42}, "shoe_size"),
        (200, {**SIGNED, "Content-Type": "text/plain"}, ME, "as text/plain"),
        (200, {name: value for name, value in SIGNED.items() if name != "X-Request-ID"}, ME, "X-Request-ID"),
        (404, {**SIGNED, "Content-Type": "application/problem+json"}, {"code": "not_found"}, "does not declare"),
        (429, {**SIGNED, "Content-Type": "application/problem+json"}, {"code": "not_ready"}, "not_ready"),
    ],
    ids=["status", "crash", "type", "unknown-field", "content-type", "header", "status-of-problem", "code"],
)
def test_an_answer_that_is_not_described_fails_its_test(status, headers, body, told):
    """Each way in which an answer can leave its description is noticed, and the failure says which."""
    check_answer("GET", "/v1/me", status=200, headers=SIGNED, content=msgspec.json.encode(ME))

    with pytest.raises(ContractError, match=told):
        check_answer("GET", "/v1/me", status=status, headers=headers, content=msgspec.json.encode(body))
