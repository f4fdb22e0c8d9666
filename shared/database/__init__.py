"""PostgreSQL: the pool every service uses, transactions, batches, and the migrations that make its tables."""

from shared.database.batch import BATCH_ROWS_MAX, BatchError, insert_many, update_many
from shared.database.migrate import MigrationError, load_migrations, migrate
from shared.database.pool import POOL_CONFIG, Connection, Pool, PoolConfig, Row, create_pool
from shared.database.retry import DATABASE_AWAY, run_in_transaction

__all__ = [
    "BATCH_ROWS_MAX",
    "DATABASE_AWAY",
    "POOL_CONFIG",
    "BatchError",
    "Connection",
    "MigrationError",
    "Pool",
    "PoolConfig",
    "Row",
    "create_pool",
    "insert_many",
    "load_migrations",
    "migrate",
    "run_in_transaction",
    "update_many",
]
