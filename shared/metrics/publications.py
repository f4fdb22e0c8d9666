"""Publications: what became of them, how late, what stands open, and what must never be."""

from prometheus_client import Counter, Gauge, Histogram

from shared.metrics.buckets import LATENESS_BUCKETS
from shared.metrics.zeros import begin_at_zero

publications_total = Counter(
    "instadistro_publications_total", "Results the publisher wrote, by the state they lead to.", ("state",)
)
publication_lateness_seconds = Histogram(
    "instadistro_publication_lateness_seconds",
    "From the time a publication was due to the time it was live.",
    buckets=LATENESS_BUCKETS,
)
rescued_total = Counter("instadistro_rescued_total", "Publications given a new message by the rescue sweep.")
publications_ended_total = Counter(
    "instadistro_publications_ended_total", "Publications that came to an end of their own, by how.", ("outcome",)
)
publications_open = Gauge(
    "instadistro_publications_open",
    "Publications that are not at their end, by state, counted up to 100,000 each.",
    ("state",),
)
publications_oldest_due_seconds = Gauge(
    "instadistro_publications_oldest_due_age_seconds",
    "Age past due of the longest due publication that may go on and is not worked on.",
)
leases_held = Gauge("instadistro_leases_held", "Publications that this process works on.")
leases_lost_total = Counter(
    "instadistro_leases_lost_total", "Claims that another worker took over while this process worked on them."
)
leases_lapsed = Gauge(
    "instadistro_leases_lapsed", "Publications whose worker stopped renewing its claim, and that nobody took over yet."
)
invariant_breaches = Gauge(
    "instadistro_invariant_breaches",
    "Publications that break a promise: each above 0 is a defect or damaged data.",
    ("invariant",),
)

begin_at_zero(publications_total, "scheduled", "published", "failed", "held", "outcome_unknown")
begin_at_zero(publications_ended_total, "published", "refused", "failed", "missed", "unknown")
