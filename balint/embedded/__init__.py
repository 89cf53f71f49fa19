"""PostgreSQL and Redis for a newcomer: real servers from Python packages, on private sockets."""

from balint.embedded.postgres import Postgres
from balint.embedded.valkey import Valkey

__all__ = ["Postgres", "Valkey"]
