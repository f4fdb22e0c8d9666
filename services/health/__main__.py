"""Start the health service."""

from services.health.service import serve
from shared.lifecycle import run_process

if __name__ == "__main__":
    run_process("health", serve)
