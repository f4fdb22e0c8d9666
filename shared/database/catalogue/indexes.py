"""Every index of the database, and what would be slow, or wrong, without it."""

from __future__ import annotations

from shared.database.catalogue.query import Index, Kind

_NAMES_IT = "Names the row."
_PARENT = (
    "Children refer to it by tenant and id, so that none can point into another tenant; a tenant's row is found by it."
)


def _primary(*tables: str) -> tuple[Index, ...]:
    return tuple(Index(name=f"{table}_pkey", table=table, kind=Kind.PRIMARY, why=_NAMES_IT) for table in tables)


def _parent(*tables: str) -> tuple[Index, ...]:
    return tuple(Index(name=f"{table}_user_id_id_key", table=table, kind=Kind.UNIQUE, why=_PARENT) for table in tables)


def _page(*tables: str) -> tuple[Index, ...]:
    return tuple(
        Index(name=f"{table}_page", table=table, kind=Kind.COMPOSITE, why="The tenant's list, in its order.")
        for table in tables
    )


def _index(name: str, table: str, kind: Kind, why: str) -> Index:
    return Index(name=name, table=table, kind=kind, why=why)


INDEXES: tuple[Index, ...] = (
    *_primary(
        "users",
        "api_keys",
        "accounts",
        "account_tokens",
        "proxies",
        "warmup_protocols",
        "groups",
        "media",
        "posts",
        "distributions",
        "publications",
        "publication_attempts",
        "outbox",
        "events",
        "recurring_jobs",
        "dead_jobs",
        "health_scores",
        "job_starts",
        "job_stats",
        "idempotency_keys",
        "operations",
        "audit_log",
        "webhooks",
        "webhook_deliveries",
        "oauth_states",
        "post_queues",
        "post_queue_items",
        "schedules",
        "schedule_occurrences",
        "schema_migrations",
    ),
    *_parent("accounts", "proxies", "groups", "media", "posts", "distributions", "publications"),
    *_parent("operations", "webhooks", "schedules", "post_queues"),
    *_page("accounts", "groups", "proxies", "distributions", "publications"),
    *_page("api_keys", "operations", "audit_log", "webhooks", "webhook_deliveries", "post_queues"),
    _index("media_page", "media", Kind.PARTIAL, "The list, newest first, however many were removed."),
    _index("media_kind_page", "media", Kind.PARTIAL, "Pictures or videos alone: one kind may be rare."),
    _index("media_content", "media", Kind.PARTIAL, "Whether a file is kept already, before it is sent."),
    _index("media_to_drop", "media", Kind.PARTIAL, "Bytes of removed media that are still to be dropped."),
    _index("posts_page", "posts", Kind.PARTIAL, "The list, newest first, however many were removed."),
    _index("posts_type_page", "posts", Kind.PARTIAL, "Posts of one type, which may be rare."),
    _index("posts_updated_page", "posts", Kind.PARTIAL, "The list by its last change."),
    _index("posts_media", "posts", Kind.GIN, "The posts that show a medium, before it is removed."),
    _index("posts_cover", "posts", Kind.PARTIAL, "The same for a cover, which stands among the options."),
    _index(
        "events_stream", "events", Kind.COMPOSITE, "What happened to a tenant since an event that a reader has seen."
    ),
    _index("idempotency_keys_age", "idempotency_keys", Kind.PLAIN, "Requests too old to be repeated."),
    _index("operations_age", "operations", Kind.PLAIN, "Operations too old to be asked about."),
    _index("operations_unfinished", "operations", Kind.PARTIAL, "Operations that nobody seems to be at, every minute."),
    _index("audit_log_subject", "audit_log", Kind.COMPOSITE, "What was changed about one thing, newest first."),
    _index("audit_log_age", "audit_log", Kind.PLAIN, "Lines too old to be kept."),
    _index(
        "webhook_deliveries_state_page",
        "webhook_deliveries",
        Kind.COMPOSITE,
        "Those that failed, among many that got through.",
    ),
    _index("webhook_deliveries_due", "webhook_deliveries", Kind.PARTIAL, "Deliveries whose job was lost, each minute."),
    _index(
        "webhook_deliveries_fresh",
        "webhook_deliveries",
        Kind.PARTIAL,
        "How many wait for their first try, before more are added.",
    ),
    _index("webhook_deliveries_age", "webhook_deliveries", Kind.PLAIN, "Deliveries too old to be kept."),
    _index("oauth_states_expiry", "oauth_states", Kind.PLAIN, "Connections that were begun and never ended."),
    _index("users_email", "users", Kind.UNIQUE, "One user per address, however it is written."),
    _index("api_keys_key_id_key", "api_keys", Kind.UNIQUE, "Each request finds its key by it."),
    _index(
        "accounts_user_id_instagram_user_id_key",
        "accounts",
        Kind.UNIQUE,
        "A tenant has an account of the platform once; an import finds what it knows.",
    ),
    _index(
        "accounts_state_page",
        "accounts",
        Kind.PARTIAL,
        "The accounts that need a hand, among thousands that do not; the list of the others is `accounts_page`.",
    ),
    _index("accounts_username", "accounts", Kind.COMPOSITE, "An account by its user name, in any case."),
    _index("accounts_protocol_page", "accounts", Kind.PARTIAL, "The accounts that warm up, in the list's order."),
    _index("accounts_tags", "accounts", Kind.GIN, "The accounts that bear a tag."),
    _index("accounts_proxy", "accounts", Kind.PARTIAL, "The accounts that a proxy held up, once it is up again."),
    _index("proxies_user_id_name_key", "proxies", Kind.UNIQUE, "A tenant's proxies have different names."),
    _index("proxies_check", "proxies", Kind.PLAIN, "The proxies whose next check is due, every 5 s."),
    _index("account_tokens_refresh", "account_tokens", Kind.PLAIN, "The tokens that are due for renewal."),
    _index("account_tokens_key", "account_tokens", Kind.COMPOSITE, "What is still under an old key, in pages."),
    _index(
        "accounts_instagram_user",
        "accounts",
        Kind.COVERING,
        "An account of the platform, whichever tenants act for it, when a publish call had no answer.",
    ),
    _index(
        "group_members_pkey",
        "group_members",
        Kind.COVERING,
        "A member is in a group once; groups are counted without reading the members' rows.",
    ),
    _index("groups_user_id_name_key", "groups", Kind.UNIQUE, "A tenant's groups have different names."),
    _index("group_members_account", "group_members", Kind.FOREIGN_KEY, "An account goes with its memberships."),
    _index("media_key_key", "media", Kind.UNIQUE, "Two media never share their public address."),
    _index(
        "publications_distribution_id_account_id_key",
        "publications",
        Kind.UNIQUE,
        "A distribution reaches an account once, however often it is tried.",
    ),
    _index(
        "publications_distribution_page",
        "publications",
        Kind.COVERING,
        "A distribution's publications in order; it is counted by state without reading their rows.",
    ),
    _index(
        "publications_post_page",
        "publications",
        Kind.COVERING,
        "A post's publications in order; counted by state, and looked for on accounts, without reading their rows.",
    ),
    _index(
        "publications_account_page",
        "publications",
        Kind.COMPOSITE,
        "An account's publications, newest first: lists, releases, health checks.",
    ),
    _index(
        "publications_state_page",
        "publications",
        Kind.PARTIAL,
        "What failed, is held, waits or is unknown, however much was published since.",
    ),
    _index("publications_calendar", "publications", Kind.COMPOSITE, "What a tenant publishes within a span of time."),
    _index(
        "publications_publishing",
        "publications",
        Kind.PARTIAL,
        "One publication at a time per account; leases are renewed, and those that ran out are found.",
    ),
    _index(
        "publications_published",
        "publications",
        Kind.PARTIAL,
        "What an account published lately: when the platform's quota has room again; scores.",
    ),
    _index("publications_unknown", "publications", Kind.PARTIAL, "Unknown outcomes that are to be looked up again."),
    _index(
        "publications_platform_down",
        "publications",
        Kind.PARTIAL,
        "What an outage of the platform made wait, once over.",
    ),
    _index("publications_health_cap", "publications", Kind.PARTIAL, "What waits for the halved cap of an account."),
    _index("accounts_waived", "accounts", Kind.PARTIAL, "Waivers of caution, the first that ends first; every 5 s."),
    _index("publications_ended", "publications", Kind.PARTIAL, "What ended long ago and goes to the archive."),
    *_primary("publications_archive"),
    *_page("publications_archive"),
    _index(
        "publications_archive_account_page",
        "publications_archive",
        Kind.COMPOSITE,
        "What is archived of an account, newest first; its media that are known to be ours.",
    ),
    _index(
        "publications_archive_post_page",
        "publications_archive",
        Kind.COVERING,
        "What is archived of a post; the accounts on which it was published, without reading the rows.",
    ),
    _index(
        "publications_archive_distribution_page",
        "publications_archive",
        Kind.PARTIAL,
        "What is archived of a distribution, newest first.",
    ),
    _index("distributions_schedule", "distributions", Kind.PARTIAL, "What a schedule has made, newest first."),
    _index("schedules_page", "schedules", Kind.PARTIAL, "The list, newest first, however many were removed."),
    _index("schedules_account", "schedules", Kind.PARTIAL, "Schedules of an account, before it goes."),
    _index("schedules_post", "schedules", Kind.PARTIAL, "Schedules that repeat a post, before it goes."),
    _index("schedules_group", "schedules", Kind.PARTIAL, "Schedules of a group, before and when it goes."),
    _index("schedules_queue", "schedules", Kind.PARTIAL, "Schedules of a queue, before and when it goes."),
    _index("post_queue_items_post", "post_queue_items", Kind.FOREIGN_KEY, "The queues in which a post waits."),
    _index("post_queues_user_id_name_key", "post_queues", Kind.UNIQUE, "A name is given once; a queue is found by it."),
    _index("schedules_due", "schedules", Kind.PARTIAL, "What is due next, before it is paused or removed."),
    _index(
        "schedule_occurrences_schedule_id_local_date_slot_key",
        "schedule_occurrences",
        Kind.UNIQUE,
        "What a rule names by the wall clock comes once, however often it is computed.",
    ),
    _index(
        "schedule_occurrences_page",
        "schedule_occurrences",
        Kind.COMPOSITE,
        "What became of a schedule's due times, newest first; whether a newer one has come.",
    ),
    _index(
        "schedule_occurrences_pending",
        "schedule_occurrences",
        Kind.PARTIAL,
        "Occurrences whose job may be lost, every minute.",
    ),
    _index("schedule_occurrences_age", "schedule_occurrences", Kind.PLAIN, "Occurrences too old to be kept."),
    *_primary("health_checks", "health_history", "analytics_snapshots"),
    *_page("health_history", "analytics_snapshots"),
    _index("health_checks_due", "health_checks", Kind.PLAIN, "Whose look is due, every second, the longest due first."),
    _index("health_checks_refused", "health_checks", Kind.PARTIAL, "Whose tokens are refused of late, every 15 s."),
    _index("health_checks_answered", "health_checks", Kind.PLAIN, "How many were looked at, where many are refused."),
    _index("health_checks_analytics", "health_checks", Kind.PLAIN, "Whose numbers are due, every 10 s."),
    _index(
        "analytics_snapshots_daily",
        "analytics_snapshots",
        Kind.PARTIAL,
        "An account's numbers are kept once a day from each source; those of the day before are found by it.",
    ),
    _index(
        "analytics_snapshots_publication",
        "analytics_snapshots",
        Kind.PARTIAL,
        "A publication's numbers are kept once at each age; its newest ones are found by it.",
    ),
    _index("health_history_age", "health_history", Kind.PLAIN, "Scores too old to be kept."),
    _index("analytics_snapshots_age", "analytics_snapshots", Kind.PLAIN, "Numbers too old to be kept."),
    _index("publications_rescue", "publications", Kind.PARTIAL, "What no message speaks for any more, every 5 s."),
    _index("publications_waiting", "publications", Kind.PARTIAL, "What has become too late, every 5 s."),
    _index("outbox_type_subject_key", "outbox", Kind.UNIQUE, "A message waits once; it is withdrawn by its subject."),
    _index("outbox_due", "outbox", Kind.COMPOSITE, "What is due, level by level, every second."),
    _index("recurring_jobs_due", "recurring_jobs", Kind.PARTIAL, "What is due next, and not paused."),
    _index("recurring_jobs_account", "recurring_jobs", Kind.FOREIGN_KEY, "An account goes with its checks."),
    _index("dead_jobs_page", "dead_jobs", Kind.COMPOSITE, "Dead jobs in the order of their death, from either end."),
    _index("dead_jobs_filter", "dead_jobs", Kind.COMPOSITE, "Dead jobs of one type and reason; their counts."),
    _index(
        "health_scores_worst",
        "health_scores",
        Kind.COVERING,
        "A tenant's worst accounts in order, and all its scores, bands and exposures, without reading the rows.",
    ),
    _index("health_scores_rising", "health_scores", Kind.PARTIAL, "Whose better band has lasted, every 30 s."),
    _index(
        "publications_ended_badly",
        "publications",
        Kind.PARTIAL,
        "What failed on an account within days, and what nobody knows of, however much was published.",
    ),
    _index("publications_due", "publications", Kind.PARTIAL, "How much an account publishes within a week."),
    _index(
        "publication_attempts_refused",
        "publication_attempts",
        Kind.PARTIAL,
        "What the platform refused on an account within days.",
    ),
    _index("accounts_token_expiry", "accounts", Kind.PARTIAL, "A tenant's tokens that end soon."),
    _index(
        "publication_attempts_started",
        "publication_attempts",
        Kind.PLAIN,
        "What was tried in the last 15 minutes, every 15 s.",
    ),
    *_primary("alerts", "incidents"),
    *_page("alerts"),
    _index(
        "alerts_live",
        "alerts",
        Kind.PARTIAL,
        "One live alert for each thing that is wrong; live ones are counted from the index alone.",
    ),
    _index("alerts_state_page", "alerts", Kind.COMPOSITE, "Those in one state, newest first."),
    _index("alerts_code_page", "alerts", Kind.COMPOSITE, "Those of one code, newest first."),
    _index("alerts_subject_page", "alerts", Kind.COMPOSITE, "Those of one account, or of another thing."),
    _index("alerts_resolved", "alerts", Kind.PARTIAL, "Resolved ones too old to be kept."),
    _index("incidents_open", "incidents", Kind.PARTIAL, "One open incident for each class of error."),
    _index("incidents_end", "incidents", Kind.PLAIN, "What is open, or was when an account was refused."),
    _index("incidents_recent", "incidents", Kind.PLAIN, "What no account is blamed for; those too old to be kept."),
)
