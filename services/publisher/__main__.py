"""Start the publisher."""

from services.publisher.service import serve
from shared.lifecycle import run_process
from shared.performance import log_performance_report

if __name__ == "__main__":
    run_process("publisher", serve, report=log_performance_report)
