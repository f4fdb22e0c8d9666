"""Dependencies: PostgreSQL, Redis, RabbitMQ, and the processes themselves."""

from __future__ import annotations

from typing import Final

from deploy.grafana.board import Board, Row, Variable
from deploy.grafana.boards.processes import PROCESSES
from deploy.grafana.colours import GREEN, ORANGE
from deploy.grafana.panel import Limits, Query, lines, percentile_by, rate_by, rising, stat

_SERVICE = 'service=~"$service"'

_NOW = Row(
    title="Now",
    panels=(
        stat(
            "Dependencies away",
            "count(min by (service, dependency) (instadistro_dependency_up) == 0) or vector(0)",
            unit="none",
            limits=rising(red=1),
            width=5,
            shows="What a service needs and does not get an answer from, counted once for each service.",
            normal="0.",
            otherwise=(
                "`instadistro doctor` names the server and what to do; `/readyz` of each service says the same."
            ),
            alerts=("DependencyDown",),
        ),
        stat(
            "PostgreSQL connections",
            "max(instadistro_database_connections) / max(instadistro_database_max_connections)",
            unit="percentunit",
            limits=rising(orange=0.8, red=0.95),
            width=5,
            shows="Connections that the server has open, of all its clients, as a share of what it allows.",
            normal="Under 80 %.",
            otherwise=(
                "Fewer replicas or smaller pools, or a larger `max_connections`; others may use the server too."
            ),
            alerts=("DatabaseConnectionsHigh",),
        ),
        stat(
            "Oldest transaction",
            "max(instadistro_database_oldest_transaction_age_seconds)",
            unit="s",
            limits=rising(orange=300, red=900),
            width=5,
            shows="Age of the oldest open transaction of the database.",
            normal="Under 1 s; longer while a backup runs.",
            otherwise="It keeps dead rows from being cleaned up: find it in `pg_stat_activity`, ask whose it is.",
            alerts=("LongTransaction",),
        ),
        stat(
            "Processes without cache",
            "sum(instadistro_cache_breaker_open)",
            unit="none",
            limits=rising(orange=1),
            width=5,
            shows="Processes that leave Redis alone because it does not answer.",
            normal="0.",
            otherwise="The system goes on, slower, straight from PostgreSQL. Is Redis up, and quick enough?",
            alerts=("RedisAway",),
        ),
        stat(
            "Broker blocks",
            "sum(max by (role) (instadistro_broker_blocked))",
            unit="none",
            limits=rising(red=1),
            shows="Kinds of connection from which RabbitMQ, short of memory or disk, reads nothing.",
            normal="0.",
            otherwise="Give it memory or disk. Jobs wait in the outbox meanwhile; nothing is lost.",
            alerts=("BrokerBlocked",),
        ),
    ),
)

_POSTGRES = Row(
    title="PostgreSQL",
    panels=(
        lines(
            "Time of a query (95th percentile)",
            percentile_by("statement", "instadistro_db_query_duration_seconds", matcher=f"{{{_SERVICE}}}"),
            unit="s",
            width=6,
            limits=rising(orange=0.05, red=0.2),
            shows="From a query being sent to its answer, by kind of statement.",
            normal="Under 50 ms.",
            otherwise="All kinds: the server's disk or CPU. One kind: `/v1/performance` names slow queries.",
            alerts=("QueriesSlow",),
        ),
        lines(
            "Failed queries",
            rate_by("error", "instadistro_db_errors_total", matcher=f"{{{_SERVICE}}}", per_minute=True),
            unit="cpm",
            width=6,
            shows="Queries a minute that failed, by how.",
            normal="0, but for `constraint` and `serialization`.",
            otherwise="`connection`: the server is away. `timeout`: it is slow. `other`: see the logs.",
            alerts=("DatabaseErrors",),
        ),
        lines(
            "Pools in use",
            Query(
                expr=f'max by (pool) (instadistro_db_pool_connections{{state="in_use", {_SERVICE}}}'
                f" / ignoring (state) instadistro_db_pool_max_connections{{{_SERVICE}}})",
                legend="{{pool}}",
            ),
            unit="percentunit",
            width=6,
            highest=1,
            series=("api", "scheduler", "publisher", "health"),
            limits=rising(orange=0.8, red=0.95),
            shows="Connections in use of a pool, as a share of what it may open, in the process where it is fullest.",
            normal="Under 80 %.",
            otherwise="At 100 % requests and jobs wait: slow queries, or a pool that is too small for its load.",
            alerts=("DatabasePoolShort",),
        ),
        lines(
            "Wait for a connection (95th percentile)",
            percentile_by("pool", "instadistro_db_pool_wait_seconds", matcher=f"{{{_SERVICE}}}"),
            unit="s",
            width=6,
            limits=rising(orange=0.1),
            shows="How long 95 % of those who asked a pool for a connection waited at most.",
            normal="Under 5 ms.",
            otherwise="See *Pools in use*: the pool is exhausted, or the server takes no more connections.",
            alerts=("DatabasePoolShort",),
        ),
    ),
)

_REDIS = Row(
    title="Redis and the cache",
    panels=(
        lines(
            "Memory of Redis",
            Query(expr="max(instadistro_redis_memory_used_bytes)", legend="used"),
            Query(expr="max(instadistro_redis_memory_max_bytes) > 0", legend="limit"),
            unit="bytes",
            shows="Memory that Redis uses, and its limit where it has one.",
            normal="Below the limit, or level at it while few keys are dropped.",
            otherwise="Many keys are dropped, or writes refused: give it more, or find who else uses it.",
            alerts=("RedisMemoryShort",),
        ),
        lines(
            "Hit rate, by namespace",
            Query(expr='instadistro:cache_hit_ratio:rate5m{namespace!=""}', legend="{{namespace}}"),
            unit="percentunit",
            highest=1,
            limits=Limits(lowest=ORANGE, steps=((0.8, GREEN),)),
            shows="Reads of the cache that were served from Redis, of those that Redis was asked for.",
            normal="Over 80 % under load; low while nothing is read twice.",
            otherwise="It fell for all: Redis was emptied or is away. For one: its values change often.",
            alerts=("CacheHitRateLow",),
        ),
        lines(
            "Dropped and unstored values",
            Query(
                expr="60 * max(rate(instadistro_redis_evicted_keys_total[$__rate_interval]))",
                legend="dropped",
            ),
            Query(
                expr="60 * sum(rate(instadistro_cache_unstored_total[$__rate_interval]))",
                legend="not stored",
            ),
            unit="cpm",
            series=("dropped",),
            shows=("Keys that Redis dropped for want of memory, and values that were served but not cached, a minute."),
            normal="0.",
            otherwise="Dropped: more memory. Not stored: Redis was away or slow, or values are over 256 KiB.",
            alerts=("RedisMemoryShort",),
        ),
    ),
)

_RABBITMQ = Row(
    title="RabbitMQ, by its own word",
    panels=(
        lines(
            "Shares of its limits in use",
            Query(
                expr="max(rabbitmq_process_resident_memory_bytes / rabbitmq_resident_memory_limit_bytes)",
                legend="memory",
            ),
            Query(
                expr="max(rabbitmq_disk_space_available_limit_bytes / rabbitmq_disk_space_available_bytes)",
                legend="free disk, limit to what is there",
            ),
            Query(expr="max(rabbitmq_process_open_fds / rabbitmq_process_max_fds)", legend="file descriptors"),
            unit="percentunit",
            highest=1,
            limits=rising(orange=0.8, red=1),
            shows=(
                "Memory, disk and descriptors as shares of the limits at which the broker blocks whoever publishes."
            ),
            normal="Under 80 %, disk under 50 %.",
            otherwise="Memory: work off what waits, or give more. Disk: free some. At 100 % it takes no messages.",
            alerts=(
                "BrokerMemoryHigh",
                "BrokerDiskFills",
            ),
        ),
        lines(
            "Connections and channels",
            Query(expr="sum(rabbitmq_connections)", legend="connections"),
            Query(expr="sum(rabbitmq_channels)", legend="channels"),
            unit="short",
            shows="Connections and channels that are open.",
            normal="Level: two to four connections a process.",
            otherwise="A saw: clients are cut off and come again, the log of the broker says why.",
            alerts=("BrokerConnectionChurn",),
        ),
        lines(
            "Messages that no queue takes",
            Query(
                expr="60 * sum(rate(rabbitmq_global_messages_unroutable_returned_total[$__rate_interval]))",
                legend="returned",
            ),
            Query(
                expr="60 * sum(rate(rabbitmq_global_messages_unroutable_dropped_total[$__rate_interval]))",
                legend="dropped",
            ),
            unit="cpm",
            series=("returned", "dropped"),
            shows="Messages a minute that the broker could not bring to any queue.",
            normal="Returned 0; dropped events nobody listens for.",
            otherwise=(
                "Returned: a queue of ours is missing. `instadistro migrate` makes it; jobs stay in the outbox."
            ),
            alerts=("PublishesRefused",),
        ),
    ),
)

DEPENDENCIES: Final = Board(
    name="dependencies",
    title="Dependencies",
    about=(
        "The servers that the system stands on, as its processes see them, and the processes themselves. **Normal:**"
        " the first row is green, queries take milliseconds.\n\n"
        "**How to read it:** PostgreSQL away stops nearly all. Redis away makes things slower. RabbitMQ away lets jobs"
        " wait in the outbox. *Service* narrows the board to one."
    ),
    variables=(
        Variable(
            name="service",
            label="Service",
            values=("api", "scheduler", "publisher", "health"),
        ),
    ),
    rows=(_NOW, _POSTGRES, _REDIS, _RABBITMQ, PROCESSES),
)
