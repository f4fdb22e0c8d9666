"""`/v1/audit-log`: who changed what."""

from __future__ import annotations

from services.api.audit import store
from services.api.audit.contract import AuditEntry, AuditQuery
from services.api.call import Call
from services.api.http import Answer, Page, Scope, answer_page, fetch_page, invalid
from services.api.routing import get


async def list_changes(call: Call[AuditQuery, None]) -> Answer[Page[AuditEntry]]:
    """One page of the changes of the last 365 days; `subject_type` and `subject_id` go together."""
    query = call.query
    if (query.subject_type is None) != (query.subject_id is None):
        missing = "subject_id" if query.subject_id is None else "subject_type"
        raise invalid("missing_field", "Give subject_type and subject_id together, or neither.", path=missing)
    sql, args = store.list_query(
        call.user_id, subject_type=query.subject_type, subject_id=query.subject_id, begin=query.from_, end=query.to
    )
    async with call.connect() as connection:
        page = await fetch_page(connection, sql, args, page=call.page, present=store.present)
    return answer_page(call.request, page)


ROUTES = [get("/v1/audit-log", list_changes, scope=Scope.ADMIN)]
