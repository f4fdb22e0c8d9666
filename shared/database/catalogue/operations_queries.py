"""Queries that tell an operator how the system is: what the scheduler measures, and the tools of the command line."""

from __future__ import annotations

from shared.database.catalogue.query import CataloguedQuery

_PUBLICATIONS = "services.scheduler.observe_publications"
_ACCOUNTS = "services.scheduler.observe_accounts"
_SERVERS = "services.scheduler.observe_servers"
_SUSPECTS = "services.scheduler.suspects"
_DOCTOR = "deploy.doctor"
_PUBLISHABLE = ["NEW", "WARMING_UP", "ACTIVE"]
_IN_USE = [*_PUBLISHABLE, "PAUSED", "RESTRICTED"]

OPERATIONS_QUERIES: tuple[CataloguedQuery, ...] = (
    CataloguedQuery(
        name="operations.count_scheduled",
        source=f"{_PUBLICATIONS}:_COUNT_SCHEDULED",
        arguments=(100_000,),
        index="publications_next_attempt",
        ordered=True,
    ),
    CataloguedQuery(
        name="operations.count_held",
        source=f"{_PUBLICATIONS}:_COUNT_HELD",
        arguments=(100_000,),
        index="publications_held",
        ordered=True,
    ),
    CataloguedQuery(
        name="operations.count_unknown",
        source=f"{_PUBLICATIONS}:_COUNT_UNKNOWN",
        arguments=(100_000,),
        index="publications_unknown",
        ordered=True,
    ),
    CataloguedQuery(
        name="operations.publishing", source=f"{_PUBLICATIONS}:_PUBLISHING", index="publications_publishing"
    ),
    CataloguedQuery(
        name="operations.oldest_due",
        source=f"{_PUBLICATIONS}:_OLDEST_DUE",
        index="publications_next_attempt",
        ordered=True,
    ),
    CataloguedQuery(
        name="operations.count_dead",
        source=f"{_PUBLICATIONS}:_COUNT_DEAD",
        arguments=(10_000,),
        index="dead_jobs_page",
        ordered=True,
    ),
    CataloguedQuery(name="operations.accounts_by_state", source=f"{_ACCOUNTS}:_BY_STATE", index="accounts_standing"),
    CataloguedQuery(
        name="operations.accounts_by_band",
        source=f"{_ACCOUNTS}:_BY_BAND",
        whole="All scores are counted, once a minute: one narrow row for each account.",
    ),
    CataloguedQuery(
        name="operations.tokens_ending",
        source=f"{_ACCOUNTS}:_ENDING",
        arguments=(_IN_USE,),
        index="accounts_standing",
    ),
    CataloguedQuery(
        name="operations.token_first_end",
        source=f"{_ACCOUNTS}:_FIRST_END",
        arguments=(_IN_USE,),
        index="accounts_standing",
        ordered=True,
    ),
    CataloguedQuery(
        name="operations.accounts_by_quota_use",
        source=f"{_ACCOUNTS}:_BY_QUOTA_USE",
        whole="All accounts are counted, every 5 minutes.",
    ),
    CataloguedQuery(name="operations.sessions", source=f"{_SERVERS}:_SESSIONS", whole="The server's own view."),
    CataloguedQuery(name="operations.size", source=f"{_SERVERS}:_SIZE", whole="The server adds up its files."),
    CataloguedQuery(
        name="operations.breaches",
        source="services.scheduler.observe_invariants:_BREACHES",
        arguments=(20_000,),
        index="publications_ended",
        also=("publications_publishing", "publication_attempts_pkey"),
        ordered=True,
    ),
    CataloguedQuery(
        name="operations.not_rescued",
        source=f"{_SUSPECTS}:_NOT_RESCUED",
        arguments=(1_000,),
        index="publications_rescue",
    ),
    CataloguedQuery(
        name="operations.never_rescued",
        source=f"{_SUSPECTS}:_NEVER_RESCUED",
        arguments=(10_000, 900.0, 1_000),
        index="publications_next_attempt",
    ),
    CataloguedQuery(
        name="operations.not_taken_over",
        source=f"{_SUSPECTS}:_NOT_TAKEN_OVER",
        arguments=(1_000, 900.0),
        index="publications_publishing",
    ),
    CataloguedQuery(
        name="operations.not_given_up",
        source=f"{_SUSPECTS}:_NOT_GIVEN_UP",
        arguments=(10_000, 1_000),
        index="publications_waiting",
        ordered=True,
    ),
    CataloguedQuery(
        name="operations.not_released",
        source=f"{_SUSPECTS}:_NOT_RELEASED",
        arguments=(10_000, ["account_paused"], _PUBLISHABLE, 1_000),
        index="publications_held",
        also=("accounts_user_id_id_key",),
        ordered=True,
    ),
    CataloguedQuery(
        name="operations.migrations_applied",
        source="deploy.k8s.await_migrations:_HISTORY",
        whole="A row for each migration: a few, in a table that nothing else grows.",
    ),
    # The doctor
    CataloguedQuery(
        name="doctor.connections", source=f"{_DOCTOR}.postgres:_CONNECTIONS", whole="The server's own view."
    ),
    CataloguedQuery(name="doctor.rights", source=f"{_DOCTOR}.schema:_CLOSED", whole="The server's own list of tables."),
    CataloguedQuery(name="doctor.migrations", source=f"{_DOCTOR}.schema:_HISTORY", whole="One row for each migration."),
    CataloguedQuery(
        name="doctor.indexes", source=f"{_DOCTOR}.schema:_INDEXES", whole="The server's own list of indexes."
    ),
    CataloguedQuery(
        name="doctor.partitions",
        source=f"{_DOCTOR}.schema:_PARTITIONS",
        whole="It is asked whether there is any row in tables that should have none.",
    ),
    CataloguedQuery(
        name="doctor.token_of_each_key",
        source=f"{_DOCTOR}.keys:_SEALED_OF_EACH",
        arguments=(["text"],),
        index="account_tokens_key",
        ordered=True,
    ),
    CataloguedQuery(
        name="doctor.webhook_of_each_key",
        source=f"{_DOCTOR}.keys:_WEBHOOK_OF_EACH",
        arguments=(["text"],),
        whole="An operator asks; a tenant has few webhooks.",
    ),
    CataloguedQuery(
        name="doctor.api_key",
        source=f"{_DOCTOR}.keys:_HASH",
        arguments=("api_key_id",),
        index="api_keys_key_id_key",
    ),
)
