"""PostgreSQL: the pool every service uses, and the migrations that make its tables."""

from shared.database.migrate import MigrationError, migrate
from shared.database.pool import Connection, Pool, Row, create_pool

__all__ = ["Connection", "MigrationError", "Pool", "Row", "create_pool", "migrate"]
