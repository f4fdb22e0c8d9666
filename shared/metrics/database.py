"""PostgreSQL as the services see it: queries, errors, pools; and what the server says of itself."""

from prometheus_client import Counter, Gauge, Histogram

from shared.metrics.buckets import QUERY_BUCKETS
from shared.metrics.zeros import begin_at_zero

query_seconds = Histogram(
    "instadistro_db_query_duration_seconds",
    "Queries from being sent to their answer, by kind of statement.",
    ("statement",),
    buckets=QUERY_BUCKETS,
)
query_errors_total = Counter("instadistro_db_errors_total", "Queries that failed, by how.", ("error",))
pool_connections = Gauge(
    "instadistro_db_pool_connections",
    "Connections of a pool that are open, by whether they are in use.",
    ("pool", "state"),
)
pool_max_connections = Gauge("instadistro_db_pool_max_connections", "Connections that a pool may open.", ("pool",))
pool_wait_seconds = Histogram(
    "instadistro_db_pool_wait_seconds", "Waits for a connection of a pool.", ("pool",), buckets=QUERY_BUCKETS
)
database_connections = Gauge("instadistro_database_connections", "Connections that the server has open.")
database_max_connections = Gauge("instadistro_database_max_connections", "Connections that the server allows.")
database_oldest_transaction_seconds = Gauge(
    "instadistro_database_oldest_transaction_age_seconds", "Age of the oldest open transaction of the database."
)
database_size_bytes = Gauge("instadistro_database_size_bytes", "Size of the database on disk.")

begin_at_zero(query_errors_total, "connection", "timeout", "deadlock", "serialization", "constraint", "other")
