"""Every Prometheus metric of the system, declared together and fed at the edges.

Label values are closed sets: routes are templates, jobs and states are enumerations; never an account, a post or a URL.
docs/metrics.md lists them for operators.
"""

from prometheus_client import Counter, Gauge, Histogram

_HTTP_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.25, 0.5, 1, 2, 2.5, 5, 10)
_JOB_BUCKETS = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600)
_LATENESS_BUCKETS = (0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 300, 900, 3600, 21600)

http_request_seconds = Histogram(
    "instadistro_http_request_duration_seconds",
    "Time from the read headers of a request to its answer.",
    ("route", "method", "code"),
    buckets=_HTTP_BUCKETS,
)
rate_limited_total = Counter(
    "instadistro_rate_limited_total", "Requests refused because their client asks too often, by policy.", ("policy",)
)
rate_limits_local = Gauge(
    "instadistro_rate_limits_local", "1 while Redis is away and this process limits requests by itself."
)
jobs_total = Counter(
    "instadistro_jobs_total", "Deliveries of jobs by how they were settled.", ("type", "priority", "outcome")
)
job_wait_seconds = Histogram(
    "instadistro_job_wait_seconds",
    "From the time a job was due to the start of its handler.",
    ("type", "priority"),
    buckets=_JOB_BUCKETS,
)
job_retries_total = Counter(
    "instadistro_job_retries_total", "Jobs sent to wait for another run, by where they wait.", ("step",)
)
dead_letters_total = Counter("instadistro_dead_letters_total", "Jobs parked, by why.", ("reason",))
deaf_consumers_total = Counter(
    "instadistro_deaf_consumers_total", "Consumers found up and deaf, and made anew.", ("service",)
)
broker_publishes_total = Counter(
    "instadistro_broker_publishes_total", "Messages published, by the broker's answer.", ("result",)
)
job_seconds = Histogram(
    "instadistro_job_duration_seconds", "Run time of a job's handler.", ("type",), buckets=_JOB_BUCKETS
)
jobs_in_flight = Gauge("instadistro_jobs_in_flight", "Jobs whose handler runs now, in this process.")
queue_depth = Gauge("instadistro_queue_depth", "Messages that wait in a queue of the broker.", ("queue", "priority"))
queue_oldest_age_seconds = Gauge(
    "instadistro_queue_oldest_age_seconds",
    "Age of the oldest message that waits in a queue.",
    ("queue", "priority"),
)
broker_reconnects_total = Counter(
    "instadistro_broker_reconnects_total", "Times a lost broker connection was tried to be made anew.", ("role",)
)
broker_blocked = Gauge(
    "instadistro_broker_blocked", "1 while the broker reads nothing from a connection of ours.", ("role",)
)
outbox_pending = Gauge("instadistro_outbox_due", "Outbox rows past their due time and not yet sent.")
outbox_oldest_seconds = Gauge(
    "instadistro_outbox_oldest_due_age_seconds", "Age past due of the oldest unsent outbox row."
)
relay_sent_total = Counter("instadistro_relay_sent_total", "Outbox rows confirmed by the broker.")
relay_refused_total = Counter("instadistro_relay_refused_total", "Outbox rows the broker did not confirm in time.")
rescued_total = Counter("instadistro_rescued_total", "Publications given a new message by the rescue sweep.")
cache_requests_total = Counter(
    "instadistro_cache_requests_total", "Cache reads by what became of them.", ("namespace", "result")
)
cache_load_seconds = Histogram(
    "instadistro_cache_load_seconds", "Run time of the loaders of cached values.", ("namespace",), buckets=_HTTP_BUCKETS
)
cache_unstored_total = Counter(
    "instadistro_cache_unstored_total", "Loaded values that were not cached, by why.", ("namespace", "reason")
)
cache_breaker_open = Gauge("instadistro_cache_breaker_open", "1 while the cache leaves Redis alone.")
publications_total = Counter(
    "instadistro_publications_total", "Results the publisher wrote, by the state they lead to.", ("state",)
)
publication_lateness_seconds = Histogram(
    "instadistro_publication_lateness_seconds",
    "From the time a publication was due to the time it was live.",
    buckets=_LATENESS_BUCKETS,
)
platform_request_seconds = Histogram(
    "instadistro_platform_request_duration_seconds",
    "Calls to the platform by operation and outcome.",
    ("operation", "outcome"),
    buckets=_HTTP_BUCKETS,
)
platform_breaker_open = Gauge(
    "instadistro_platform_breaker_open", "1 while the platform counts as down and is tried by one probe at a time."
)
platform_waits_total = Counter(
    "instadistro_platform_waits_total",
    "Tries that were not begun because the platform was not to be called.",
    ("reason",),
)
platform_app_usage_percent = Gauge(
    "instadistro_platform_app_usage_percent", "Share of the app's limit of calls in use, as the platform last said."
)
health_checks_total = Counter(
    "instadistro_health_checks_total", "Accounts that the platform was asked for, by what it said.", ("finding",)
)
health_scores_total = Counter("instadistro_health_scores_total", "Accounts judged, by the band they are in.", ("band",))
health_reaction_seconds = Histogram(
    "instadistro_health_reaction_seconds",
    "From an event that changes what is known of an account to its score.",
    buckets=(*_HTTP_BUCKETS, 30, 60, 300),
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
recurring_fired_total = Counter("instadistro_recurring_fired_total", "Firings of recurring jobs.", ("type",))
recurring_missed_total = Counter(
    "instadistro_recurring_missed_total",
    "Due times of recurring jobs that were missed, by what the job does about them.",
    ("type", "policy"),
)
incidents_open = Gauge(
    "instadistro_incidents_open", "1 while a class of error is an incident of the app.", ("error_class",)
)
alerts_live = Gauge("instadistro_alerts_live", "Alerts of all tenants that are not resolved.", ("code", "severity"))
event_streams = Gauge("instadistro_event_streams", "Streams of events that are open.")
events_streamed_total = Counter("instadistro_events_streamed_total", "Events sent to streams.")
event_streams_ended_total = Counter(
    "instadistro_event_streams_ended_total", "Streams of events that ended, by why.", ("reason",)
)
webhook_deliveries_total = Counter(
    "instadistro_webhook_deliveries_total", "Tries to deliver to webhooks, by what became of them.", ("outcome",)
)
webhook_seconds = Histogram(
    "instadistro_webhook_duration_seconds", "Time that receivers of webhooks took.", buckets=_JOB_BUCKETS
)
recurring_broken_total = Counter(
    "instadistro_recurring_broken_total", "Recurring jobs paused because they cannot be computed any more.", ("type",)
)
schedule_occurrences_total = Counter(
    "instadistro_schedule_occurrences_total",
    "Occurrences of schedules by what came of them, and why.",
    ("state", "reason"),
)
schedule_lateness_seconds = Histogram(
    "instadistro_schedule_lateness_seconds",
    "From the time a schedule was due to its occurrence being made, of those that are to be published.",
    buckets=_LATENESS_BUCKETS,
)
