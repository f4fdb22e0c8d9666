"""Queries of an operator's rare commands: restoring a backup, and erasing a user."""

from __future__ import annotations

from shared.database.catalogue.query import CataloguedQuery

_ERASE = "deploy.erase"
_GO_ON = "deploy.backup.go_on"
_RESTORED = "shared.publications.restored"
_BACKUP = "deploy.backup"
_READ_ALL = "A backup reads all there is, and a restore looks at what it brought."
_ONCE = "Once after a restore, while no service runs."
_RARE = "A user is erased once, and much of the table may be theirs."
_STORES = (
    "PUBLICATIONS",
    "ARCHIVE",
    "SNAPSHOTS",
    "HEALTH_HISTORY",
    "EVENTS",
    "DELIVERIES",
    "AUDIT_LOG",
    "OCCURRENCES",
    "ALERTS",
    "OPERATIONS",
    "ACCOUNTS",
    "POSTS",
)


def _whole(name: str, source: str, *arguments: str, why: str) -> CataloguedQuery:
    """A statement that may read its table as a whole."""
    return CataloguedQuery(name=name, source=source, arguments=arguments, whole=why)


def _erased(store: str) -> tuple[CataloguedQuery, ...]:
    """A table of which a user's rows are counted, and then deleted batch by batch."""
    name, source = f"erase.{store.lower()}", f"{_ERASE}.tables:{store}"
    return (
        CataloguedQuery(name=f"{name}.count", source=f"{source}.count", arguments=("user_id",), whole=_RARE),
        CataloguedQuery(name=f"{name}.take", source=f"{source}.take", arguments=("user_id", 500), whole=_RARE),
    )


UPKEEP_QUERIES: tuple[CataloguedQuery, ...] = (
    CataloguedQuery(
        name="restore.look_first", source=f"{_RESTORED}:_LOOK_FIRST", arguments=("created_at",), whole=_ONCE
    ),
    CataloguedQuery(name="restore.wake", source=f"{_RESTORED}:_WAKE", whole=_ONCE),
    CataloguedQuery(
        name="restore.pending_occurrences",
        source=f"{_GO_ON}:_PENDING",
        arguments=(500,),
        index="schedule_occurrences_pending",
    ),
    CataloguedQuery(name="restore.queues", source=f"{_GO_ON}:_QUEUES", whole=_ONCE),
    CataloguedQuery(name="restore.move_webhooks", source=f"{_GO_ON}:_MOVE_WEBHOOKS", whole=_ONCE),
    CataloguedQuery(name="restore.renumber_events", source=f"{_GO_ON}:_RENUMBER", whole=_ONCE),
    CataloguedQuery(
        name="users.list",
        source=f"{_ERASE}.find_user:_LIST",
        arguments=(None,),
        whole="Users are few, and an operator wants to see them all.",
    ),
    CataloguedQuery(
        name="erase.under_way",
        source=f"{_ERASE}.stop_user:_UNDER_WAY",
        arguments=("user_id",),
        index="publications_state_page",
    ),
    CataloguedQuery(
        name="erase.close_account",
        source=f"{_ERASE}.stop_user:_CLOSE_ACCOUNT",
        arguments=("user_id", "account_id"),
        index="accounts_user_id_id_key",
    ),
    CataloguedQuery(name="erase.media", source=f"{_ERASE}.erase_user:_MEDIA", arguments=("user_id", 500), whole=_RARE),
    CataloguedQuery(
        name="erase.forget_messages",
        source=f"{_ERASE}.erase_user:_FORGET_MESSAGES",
        arguments=("outbox_subjects",),
        whole=_RARE,
    ),
    CataloguedQuery(
        name="erase.forget_dead",
        source=f"{_ERASE}.erase_user:_FORGET_DEAD",
        arguments=("outbox_subjects",),
        whole=_RARE,
    ),
    *(query for store in _STORES for query in _erased(store)),
    _whole("erase.revoke_keys", f"{_ERASE}.stop_user:_REVOKE_KEYS", "user_id", why=_RARE),
    _whole("erase.stop_webhooks", f"{_ERASE}.stop_user:_STOP_WEBHOOKS", "user_id", why=_RARE),
    _whole("erase.stop_schedules", f"{_ERASE}.stop_user:_STOP_SCHEDULES", "user_id", why=_RARE),
    _whole("erase.stop_imports", f"{_ERASE}.stop_user:_STOP_IMPORTS", "user_id", why=_RARE),
    _whole("erase.accounts_of", f"{_ERASE}.stop_user:_ACCOUNTS", "user_id", why=_RARE),
    _whole("erase.note_dropped", f"{_ERASE}.erase_user:_NOTE_DROPPED", "media_ids", why=_RARE),
    _whole("erase.forget_starts", f"{_ERASE}.erase_user:_FORGET_STARTS", "outbox_subjects", why=_RARE),
    _whole("erase.forget_users_messages", f"{_ERASE}.erase_user:_FORGET_USERS_MESSAGES", "subject_id", why=_RARE),
    _whole("erase.forget_users_dead", f"{_ERASE}.erase_user:_FORGET_USERS_DEAD", "subject_id", why=_RARE),
    _whole("erase.forget_users_starts", f"{_ERASE}.erase_user:_FORGET_USERS_STARTS", "subject_id", why=_RARE),
    _whole("erase.leave_incidents", f"{_ERASE}.erase_user:_LEAVE_INCIDENTS", "user_id", why=_RARE),
    _whole("erase.forget_events", f"{_ERASE}.erase_user:_FORGET_EVENTS", "user_id", why=_RARE),
    _whole("erase.forget_archive", f"{_ERASE}.erase_user:_FORGET_ARCHIVE", "user_id", why=_RARE),
    _whole("erase.lock_user", f"{_ERASE}.erase_user:_LOCK_USER", "user_id", why=_RARE),
    _whole("erase.delete_keys", f"{_ERASE}.erase_user:_DELETE_KEYS", "user_id", why=_RARE),
    _whole("erase.delete_user", f"{_ERASE}.erase_user:_DELETE_USER", "user_id", why=_RARE),
    _whole("backup.migrations", f"{_BACKUP}.back_up:_MIGRATIONS", why=_READ_ALL),
    _whole("backup.media", f"{_BACKUP}.back_up:_KEYS", why=_READ_ALL),
    _whole("backup.count_keys", f"{_BACKUP}.secrets_fit:_COUNT", why=_READ_ALL),
    _whole("backup.sample_tokens", f"{_BACKUP}.secrets_fit:_TOKENS", why=_READ_ALL),
    _whole("backup.sample_proxies", f"{_BACKUP}.secrets_fit:_PROXIES", why=_READ_ALL),
    _whole("backup.sample_webhooks", f"{_BACKUP}.secrets_fit:_WEBHOOKS", why=_READ_ALL),
    _whole("restore.others", f"{_BACKUP}.database:_OTHERS", why="Sessions are few."),
    _whole("restore.is_closed", f"{_BACKUP}.database:IS_CLOSED", why="Settings of roles and databases are few."),
    _whole("restore.count_users", f"{_BACKUP}.database:_COUNT_USERS", why=_READ_ALL),
    _whole("restore.is_ahead", f"{_GO_ON}:_IS_AHEAD", why=_ONCE),
)
