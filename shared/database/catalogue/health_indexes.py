"""The indexes of health: checks, scores, what they are made of, alerts, incidents, numbers over time."""

from __future__ import annotations

from shared.database.catalogue.index_shapes import index, page, primary
from shared.database.catalogue.query import Index, Kind

HEALTH_INDEXES: tuple[Index, ...] = (
    *primary("health_checks", "health_history", "analytics_snapshots"),
    *page("health_history", "analytics_snapshots"),
    index("health_checks_due", "health_checks", Kind.PLAIN, "Whose look is due, every second, the longest due first."),
    index("health_checks_refused", "health_checks", Kind.PARTIAL, "Whose tokens are refused of late, every 15 s."),
    index("health_checks_answered", "health_checks", Kind.PLAIN, "How many were looked at, where many are refused."),
    index("health_checks_analytics", "health_checks", Kind.PLAIN, "Whose numbers are due, every 10 s."),
    index(
        "analytics_snapshots_daily",
        "analytics_snapshots",
        Kind.PARTIAL,
        "An account's numbers are kept once a day from each source; those of the day before are found by it.",
    ),
    index(
        "analytics_snapshots_publication",
        "analytics_snapshots",
        Kind.PARTIAL,
        "A publication's numbers are kept once at each age; its newest ones are found by it.",
    ),
    index("health_history_age", "health_history", Kind.PLAIN, "Scores too old to be kept."),
    index("analytics_snapshots_age", "analytics_snapshots", Kind.PLAIN, "Numbers too old to be kept."),
    index(
        "health_scores_worst",
        "health_scores",
        Kind.COVERING,
        "A tenant's worst accounts in order, and all its scores, bands and exposures, without reading the rows.",
    ),
    index("health_scores_rising", "health_scores", Kind.PARTIAL, "Whose better band has lasted, every 30 s."),
    index(
        "publications_ended_badly",
        "publications",
        Kind.PARTIAL,
        "What failed on an account within days, and what nobody knows of, however much was published.",
    ),
    index("publications_due", "publications", Kind.PARTIAL, "How much an account publishes within a week."),
    index(
        "publication_attempts_refused",
        "publication_attempts",
        Kind.PARTIAL,
        "What the platform refused on an account within days.",
    ),
    index("accounts_token_expiry", "accounts", Kind.PARTIAL, "A tenant's tokens that end soon."),
    index(
        "publication_attempts_started",
        "publication_attempts",
        Kind.PLAIN,
        "What was tried in the last 15 minutes, every 15 s.",
    ),
    *primary("alerts", "incidents"),
    *page("alerts"),
    index(
        "alerts_live",
        "alerts",
        Kind.PARTIAL,
        "One live alert for each thing that is wrong; live ones are counted from the index alone.",
    ),
    index("alerts_state_page", "alerts", Kind.COMPOSITE, "Those in one state, newest first."),
    index("alerts_code_page", "alerts", Kind.COMPOSITE, "Those of one code, newest first."),
    index("alerts_subject_page", "alerts", Kind.COMPOSITE, "Those of one account, or of another thing."),
    index("alerts_resolved", "alerts", Kind.PARTIAL, "Resolved ones too old to be kept."),
    index("incidents_open", "incidents", Kind.PARTIAL, "One open incident for each class of error."),
    index("incidents_end", "incidents", Kind.PLAIN, "What is open, or was when an account was refused."),
    index("incidents_recent", "incidents", Kind.PLAIN, "What no account is blamed for; those too old to be kept."),
)
