"""Start the scheduler."""

from services.scheduler.service import serve
from shared.lifecycle import run_process

if __name__ == "__main__":
    run_process("scheduler", serve)
