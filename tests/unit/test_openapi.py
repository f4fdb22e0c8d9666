"""The description says what the gateway has, in words that every OpenAPI tool reads."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from services.api.app import ROUTES
from services.api.call import Stream
from services.api.http.problems import KINDS
from services.api.openapi.advice import ADVICE
from services.api.openapi.document import describe, encode
from services.api.openapi.problems_page import problems_page

DOCS = Path(__file__).parents[2] / "docs"
MEND = "it is not what the code says; run: python -m services.api.openapi"


@pytest.fixture(scope="module")
def document():
    return msgspec.json.decode(encode(describe(ROUTES)))


@pytest.fixture(scope="module")
def operations(document):
    return {
        (method.upper(), path): operation
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    }


def test_the_committed_description_is_the_code_s_own():
    """docs/openapi.json is what the gateway serves at /openapi.json."""
    is_current = (DOCS / "openapi.json").read_bytes() == encode(describe(ROUTES))  # a diff of it would say nothing

    assert is_current, f"docs/openapi.json: {MEND}"


def test_the_committed_catalogue_of_problems_is_the_code_s_own():
    """docs/problems.md has every code with what to do about it."""
    is_current = (DOCS / "problems.md").read_text(encoding="utf-8") == problems_page()

    assert is_current, f"docs/problems.md: {MEND}"


def test_there_is_advice_for_every_problem():
    """No client meets a code that nobody tells what to do about."""
    assert set(ADVICE) == set(KINDS)


def test_the_description_is_valid(document):
    """The document keeps to the schema of OpenAPI 3.1, and every reference leads somewhere."""
    assert [str(error) for error in OpenAPIV31SpecValidator(document).iter_errors()] == []


def test_every_route_is_described(operations):
    """No route is left out, and each operation has its own id, a summary and the scope that its route needs."""
    said = {place: operation for place, operation in operations.items() if place[1].startswith("/v1/")}

    assert {place: operation.get("x-scope") for place, operation in said.items()} == {
        (route.method, route.path): None if route.public else route.scope.value for route in ROUTES
    }
    assert len({operation["operationId"] for operation in operations.values()}) == len(operations)
    assert [place for place, operation in operations.items() if not operation["summary"]] == []


def test_every_problem_that_is_described_exists(document):
    """Each problem of a route names codes of the catalogue under the status that they have."""
    described = {
        (code, str(KINDS[code].status))
        for response in document["components"]["responses"].values()
        for code in response["content"]["application/problem+json"]["schema"]["properties"]["code"]["enum"]
    }
    named = {tuple(name.split(".")[1:]) for name in document["components"]["responses"]}

    assert described == {(code, status) for status, *codes in named for code in codes}
    assert {code for route in ROUTES for code in route.problems} <= {code for code, _ in described}


def test_every_streamed_body_has_its_content_types():
    """A route that reads its body by itself says what it takes."""
    assert [route.path for route in ROUTES if (route.contract.body is Stream) != bool(route.consumes)] == []


def test_names_of_schemas_are_words(document):
    """Schemas are named so that generated clients have classes to be proud of."""
    names = document["components"]["schemas"]

    assert [name for name in names if not re.fullmatch(r"[A-Z][A-Za-z0-9]+", name)] == []


def test_patterns_are_in_the_dialect_of_schemas(document):
    r"""No regular expression has anchors that Python alone knows: `\A` is a letter elsewhere."""
    assert re.findall(r'"pattern":"[^"]*\\\\[AZz]', msgspec.json.encode(document).decode()) == []
