"""Queries of what the gateway keeps for itself: repeatable requests, keys, operations, the audit log."""

from __future__ import annotations

from shared.database.catalogue.query import CataloguedQuery

_IDEMPOTENCY = "services.api.idempotency.store"

GATEWAY_QUERIES: tuple[CataloguedQuery, ...] = (
    CataloguedQuery(
        name="idempotency_keys.find",
        source=f"{_IDEMPOTENCY}:_FIND",
        arguments=("user_id", "idempotency_key"),
        index="idempotency_keys_pkey",
    ),
    CataloguedQuery(
        name="idempotency_keys.release",
        source=f"{_IDEMPOTENCY}:_RELEASE",
        arguments=("user_id", "idempotency_key", b""),
        index="idempotency_keys_pkey",
    ),
)
