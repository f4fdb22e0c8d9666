"""Queries of what the gateway keeps for itself: repeatable requests, keys, operations, the audit log."""

from __future__ import annotations

from datetime import UTC, datetime

from shared.database.catalogue.query import CataloguedPage, CataloguedQuery, Place, pages

_AUDIT = "services.api.audit.store"
_IDEMPOTENCY = "services.api.idempotency.store"
_OPERATIONS = "services.api.operations.store"
_WORK = "services.scheduler.operations"
_KEYS = "services.api.keys.store"

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
    *pages(
        CataloguedPage(
            name="operations.page",
            source=f"{_OPERATIONS}:list_query",
            arguments=("user_id", 51),
            place=Place.FIRST,
            index="operations_page",
            ordered=True,
        )
    ),
    CataloguedQuery(
        name="operations.find",
        source=f"{_OPERATIONS}:_FIND",
        arguments=("user_id", "operation_id"),
        index="operations_user_id_id_key",
    ),
    CataloguedQuery(
        name="operations.read_input",
        source=f"{_WORK}:_INPUT",
        arguments=("user_id", "operation_id"),
        index="operations_user_id_id_key",
    ),
    CataloguedQuery(
        name="operations.progress",
        source=f"{_WORK}:_PROGRESS",
        arguments=("user_id", "operation_id", 1000),
        index="operations_user_id_id_key",
    ),
    CataloguedQuery(
        name="operations.succeed",
        source=f"{_WORK}:_SUCCEED",
        arguments=("user_id", "operation_id", None),
        index="operations_user_id_id_key",
    ),
    CataloguedQuery(
        name="operations.fail",
        source=f"{_WORK}:_FAIL",
        arguments=("user_id", "operation_id", None),
        index="operations_user_id_id_key",
    ),
    CataloguedQuery(
        name="operations.stalled",
        source="services.scheduler.resume_operations:_STALLED",
        arguments=(100,),
        index="operations_unfinished",
        also=("operations_pkey",),
    ),
    *pages(
        CataloguedPage(
            name="audit_log.page",
            source=f"{_AUDIT}:list_query",
            arguments=("user_id", 51),
            place=Place.FIRST,
            index="audit_log_page",
            ordered=True,
        )
    ),
    *pages(
        CataloguedPage(
            name="audit_log.page_by_subject",
            source=f"{_AUDIT}:list_query",
            arguments=("user_id", "subject_type", "subject_id", 51),
            filters=("subject_type", "subject_id"),
            place=Place.FIRST,
            index="audit_log_subject",
            ordered=True,
        )
    ),
    *pages(
        CataloguedPage(
            name="api_keys.page",
            source=f"{_KEYS}:LIST",
            arguments=("user_id", 50),
            index="api_keys_page",
            ordered=True,
            place=Place.FIRST,
        )
    ),
    CataloguedQuery(
        name="api_keys.find_one", source=f"{_KEYS}:_FIND", arguments=("user_id", "key_row_id"), index="api_keys_pkey"
    ),
    CataloguedQuery(
        name="api_keys.lock_tenant", source=f"{_KEYS}:_LOCK_TENANT", arguments=("user_id",), index="users_pkey"
    ),
    CataloguedQuery(
        name="api_keys.count_live",
        source=f"{_KEYS}:_COUNT_LIVE",
        arguments=("user_id", "row_id"),
        index="api_keys_page",
    ),
    CataloguedQuery(
        name="api_keys.find_twin",
        source=f"{_KEYS}:_FIND_TWIN",
        arguments=("user_id", "key_row_id", "row_id"),
        index="api_keys_page",
    ),
    CataloguedQuery(
        name="api_keys.update",
        source=f"{_KEYS}:_UPDATE",
        arguments=("user_id", "key_row_id", "text", ["read"], None, None),
        index="api_keys_pkey",
    ),
    CataloguedQuery(
        name="api_keys.revoke", source=f"{_KEYS}:_REVOKE", arguments=("user_id", "key_row_id"), index="api_keys_pkey"
    ),
    CataloguedQuery(
        name="api_keys.end_after",
        source=f"{_KEYS}:_END_AFTER",
        arguments=("user_id", "key_row_id", 60.0),
        index="api_keys_pkey",
    ),
    CataloguedQuery(
        name="api_keys.write_uses",
        source=f"{_KEYS}:_WRITE_USES",
        arguments=(["key1", "key2"], [datetime(2030, 1, 1, tzinfo=UTC)] * 2),
        index="api_keys_key_id_key",
        also=("api_keys_pkey",),
    ),
)
