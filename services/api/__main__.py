from __future__ import annotations

from services.api.service import serve
from shared.lifecycle import run_process
from shared.performance import log_performance_report

if __name__ == "__main__":
    run_process("api", serve, report=log_performance_report)
