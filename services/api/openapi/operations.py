"""One route as an operation of the description."""

from __future__ import annotations

import inspect
import re
from http import HTTPStatus
from typing import Any, get_origin
from uuid import UUID

import msgspec

from services.api.call import Stream
from services.api.http import NoQuery, Page, Scope
from services.api.openapi.headers import answer_headers, is_conditional, request_headers
from services.api.openapi.route_problems import route_problems
from services.api.openapi.schemas import Schemas
from services.api.routing import JSON, Route

_PATH_NAME = re.compile(r"{(\w+)}")
_SAID = {
    200: "It is so.",
    201: "It was made.",
    202: "It was accepted and goes on.",
    204: "It is done; there is nothing more to say.",
    302: "It goes on at another address.",
}


def resource_of(route: Route) -> str:
    """The resource a route is of: the package that its handler stands in."""
    return route.handler.__module__.split(".")[-2]


def describe_operation(route: Route, schemas: Schemas, *, operation_id: str) -> dict[str, Any]:
    """The operation; what is shared stands in the components that it refers to."""
    summary, _, rest = inspect.cleandoc(route.handler.__doc__ or "").partition("\n")
    operation: dict[str, Any] = {
        "tags": [resource_of(route)],
        "operationId": operation_id,
        "summary": summary.rstrip("."),
        "description": _description(route, rest.strip()),
        "parameters": _parameters(route, schemas),
        "security": [] if route.public else [{"apiKey": [route.scope.value]}],
        "x-cost": route.cost,
    }
    if not route.public:
        operation["x-scope"] = route.scope.value
    body = _request_body(route, schemas)
    if body is not None:
        operation["requestBody"] = body
    return {**operation, "responses": _responses(route, schemas)}


def problem_response_name(status: int, codes: list[str]) -> str:
    """The name under which the components hold the answer that has one of these codes."""
    return ".".join(["problem", str(status), *codes])


def _description(route: Route, more: str) -> str:
    said = [
        *(["Needs no key."] if route.public else _needs(route)),
        "The answer holds a secret that is shown this once." if route.secret else "",
        f"Counts as {route.cost} requests." if route.cost > 1 else "",
    ]
    return "\n\n".join([more, " ".join(filter(None, said))]).strip()


def _needs(route: Route) -> list[str]:
    if route.scope is Scope.OPERATOR:
        return [f"Needs a key with the scope `{route.scope}`; for any other it is `not_found`."]
    refused = "" if route.limited else "A key that is limited to some accounts is refused."
    return [f"Needs a key with the scope `{route.scope}`.", refused]


def _parameters(route: Route, schemas: Schemas) -> list[dict[str, Any]]:
    parameters: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": _path_schema(route, name)}
        for name in _PATH_NAME.findall(route.path)
    ]
    if route.contract.query is not NoQuery:
        needed = schemas.required_of(route.contract.query)
        for name, schema in schemas.of_query(route.contract.query).items():
            shape = {key: value for key, value in schema.items() if key != "description"}
            parameter = {"name": name, "in": "query", "required": name in needed, "schema": shape}
            parameters.append({**parameter, **{key: schema[key] for key in ("description",) if key in schema}})
    return [*parameters, *request_headers(route)]


def _path_schema(route: Route, name: str) -> dict[str, Any]:
    return msgspec.json.schema(route.id_type if name == "id" else UUID)


def _request_body(route: Route, schemas: Schemas) -> dict[str, Any] | None:
    contract = route.contract
    if contract.reads_json:
        content = {JSON: {"schema": schemas.of(contract.body)}}
        return {"required": schemas.is_needed(contract.body), "content": content}
    if contract.body is Stream:
        content = {kind: {"schema": schemas.of(shape)} for kind, shape in route.consumes.items()}
        return {"required": True, "content": content}
    return None


def _responses(route: Route, schemas: Schemas) -> dict[str, Any]:
    responses = {str(status): _good(route, schemas, status) for status in route.statuses}
    if is_conditional(route):
        known = {"description": "You have it already.", "headers": answer_headers(route, 304, page=False)}
        responses[str(HTTPStatus.NOT_MODIFIED.value)] = known
    for status, codes in route_problems(route, schemas).items():
        responses[str(status)] = {"$ref": f"#/components/responses/{problem_response_name(status, codes)}"}
    return responses


def _good(route: Route, schemas: Schemas, status: int) -> dict[str, Any]:
    page = get_origin(route.contract.answer) is Page
    good: dict[str, Any] = {"description": _SAID[status], "headers": answer_headers(route, status, page=page)}
    if route.contract.answers_json:
        good["content"] = {JSON: {"schema": schemas.of(route.contract.answer)}}
    elif status == HTTPStatus.OK:
        good["content"] = {route.produces: {"schema": {"type": "string"}}}
    return good
