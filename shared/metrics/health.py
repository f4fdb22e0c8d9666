"""Checks, scores, incidents, alerts and numbers."""

from prometheus_client import Counter, Gauge, Histogram

from shared.metrics.buckets import HTTP_BUCKETS

health_checks_total = Counter(
    "instadistro_health_checks_total", "Accounts that the platform was asked for, by what it said.", ("finding",)
)
health_scores_total = Counter("instadistro_health_scores_total", "Accounts judged, by the band they are in.", ("band",))
health_reaction_seconds = Histogram(
    "instadistro_health_reaction_seconds",
    "From an event that changes what is known of an account to its score.",
    buckets=(*HTTP_BUCKETS, 30, 60, 300),
)
health_reaction_accounts = Histogram(
    "instadistro_health_reaction_accounts",
    "Accounts that were judged together after events.",
    buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500),
)
health_checks_due = Gauge("instadistro_health_checks_due", "Looks at accounts that are due, counted up to 10,000.")
health_checks_oldest_seconds = Gauge(
    "instadistro_health_checks_oldest_due_age_seconds", "Age past due of the longest due look at an account."
)
analytics_snapshots_total = Counter(
    "instadistro_analytics_snapshots_total",
    "Snapshots of numbers, by where they come from and what became of them.",
    ("source", "outcome"),
)
incidents_open = Gauge(
    "instadistro_incidents_open", "1 while a class of error is an incident of the app.", ("error_class",)
)
alerts_live = Gauge("instadistro_alerts_live", "Alerts of all tenants that are not resolved.", ("code", "severity"))
