"""Start the health service."""

from services.health.service import serve
from shared.lifecycle import run_process
from shared.performance import log_performance_report

if __name__ == "__main__":
    run_process("health", serve, report=log_performance_report)
