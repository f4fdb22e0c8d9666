"""The Python client offers what the gateway has: every route, every parameter, every field, every shape of answer."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any, get_args
from uuid import UUID

import msgspec
import pytest

from instadistro_client import EventStream, Fault, InstaDistro, Listing, Pagination, Problem
from instadistro_client.transport import Transport
from services.api.app import ROUTES
from services.api.http import pages, problems
from services.api.openapi.client_shapes import client_shapes
from services.api.openapi.document import describe

SHAPES = Path(__file__).parents[2] / "client" / "instadistro_client" / "shapes.py"
MEND = "client/instadistro_client/shapes.py is not what the code says; run: python -m services.api.openapi"
# The platform calls the first, the second is another name, and the third is a stream.
NOT_CALLED = {("GET", "/v1/oauth/instagram/callback"), ("GET", "/v1/swarm/health"), ("GET", "/v1/events")}
CONTRACTS = {(route.method, route.path): route.contract for route in ROUTES}


class SentError(Exception):
    """Carries what would have been sent, and the shape of the answer."""


@pytest.fixture(scope="module")
def sent(tmp_path_factory):
    """What each method asks for when it is given every argument that it takes: requests and shapes, by route."""
    file = tmp_path_factory.mktemp("client") / "file"
    file.touch()
    found: dict[tuple[str, str], list[Any]] = {}
    api = InstaDistro("http://127.0.0.1:1", api_key="k")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Transport, "call", capture)
        patch.setattr(Transport, "send", capture)
        for resource in [api, *(value for value in vars(api).values() if not isinstance(value, Transport))]:
            for name, method in inspect.getmembers(resource, inspect.ismethod):
                if not name.startswith("_") and name not in {"close", "send", "with_options", "wait", "events"}:
                    request, shape = asked(method, file)
                    found.setdefault(route_of(request), []).append((request, shape))
    return found


async def capture(_transport, request, shape=None):
    raise SentError(request, shape)


def asked(method, file):
    arguments = {name: sample(name, number, file) for number, name in enumerate(inspect.signature(method).parameters)}
    call = method(**arguments)
    if isinstance(call, Listing):
        call = call.page(cursor="c", limit=7, count=True)
    with pytest.raises(SentError) as caught:
        call.send(None)
    return caught.value.args


def sample(name, number, file):
    if name.endswith("_id"):
        return UUID(int=number)
    return {"file": file, "content": b""}.get(name, [name])


def route_of(request):
    parts = request.path.split("/")
    for method, path in CONTRACTS:
        places = path.split("/")
        if method == request.method and len(places) == len(parts) and all(map(fits, places, parts)):
            return method, path
    raise AssertionError(f"the gateway has no {request.method} {request.path}")


def fits(place, part):
    return place == part or (place.startswith("{") and part.startswith("00000000-"))


def field_names(shape):
    return {field.encode_name for field in msgspec.structs.fields(shape)}


def shape_names(kind):
    """The names of what an answer holds: of a page its rows, of a choice each."""
    return {name for part in get_args(kind) for name in shape_names(part)} or {
        "None" if kind in {None, type(None)} else kind.__name__
    }


def test_every_route_has_a_method(sent):
    """Whatever the gateway can do, the client can ask for."""
    assert set(sent) == set(CONTRACTS) - NOT_CALLED


def test_every_parameter_can_be_given(sent):
    """Each filter, order and flag of a route is an argument of its method."""
    offered = {place: {name for request, _ in calls for name in request.query} for place, calls in sent.items()}

    assert offered == {place: field_names(CONTRACTS[place].query) for place in sent}


def test_every_field_of_a_body_can_be_given(sent):
    """Each field that a route reads is an argument of its method."""
    reading = [place for place in sent if CONTRACTS[place].reads_json]
    offered = {place: {name for request, _ in sent[place] for name in request.body or ()} for place in reading}

    assert offered == {place: field_names(CONTRACTS[place].body) for place in reading}


def test_every_answer_has_its_shape(sent):
    """A method answers what its route does, as the struct of the same name."""
    expected = {place: {name for _, shape in calls for name in shape_names(shape)} for place, calls in sent.items()}

    assert expected == {place: shape_names(CONTRACTS[place].answer) - {"Page"} for place in sent}


def test_the_shapes_are_the_code_s_own():
    """The client's structs are those that the gateway's own description gives."""
    is_current = SHAPES.read_text(encoding="utf-8") == client_shapes(describe(ROUTES))  # a diff of it would say nothing

    assert is_current, MEND


@pytest.mark.parametrize(
    ("ours", "theirs"), [(Fault, problems.Fault), (Problem, problems.Problem), (Pagination, pages.Pagination)]
)
def test_what_is_written_by_hand_is_the_same(ours, theirs):
    """What all answers share has the gateway's fields; the type and instance of a problem say nothing more."""
    assert field_names(ours) == field_names(theirs) - {"type", "instance"}


def test_what_is_asked_for_under_a_wrong_address_is_told():
    """An address that cannot be a gateway's is refused before anything is sent."""
    for url in ("127.0.0.1:8080", "http://127.0.0.1:8080/v1", ""):
        with pytest.raises(ValueError, match="http://"):
            InstaDistro(url, api_key="k")


def test_a_client_can_be_made_before_anything_runs():
    """It opens nothing until it is used."""
    assert isinstance(InstaDistro("https://example.com/", api_key="k").events(), EventStream)
