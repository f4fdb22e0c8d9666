"""The last row of Dependencies: what each process takes of its machine."""

from __future__ import annotations

from typing import Final

from deploy.grafana.board import Row
from deploy.grafana.panel import Query, lines, rising

_SERVICE = 'service=~"$service"'
_OWN = f'job="instadistro", {_SERVICE}'

PROCESSES: Final = Row(
    title="Processes",
    panels=(
        lines(
            "Event-loop lag (99th percentile)",
            Query(
                expr="max by (service) (histogram_quantile(0.99, sum by (le, service, instance)"
                f" (rate(instadistro_event_loop_lag_seconds_bucket{{{_SERVICE}}}[$__rate_interval]))))",
                legend="{{service}}",
            ),
            unit="s",
            width=6,
            series=("api", "scheduler", "publisher", "health"),
            limits=rising(orange=0.1),
            shows="How much later than asked the event loop woke a sleeper, in the process where it lags most.",
            normal="Under 50 ms.",
            otherwise="The process has too little CPU, or something computes for long: see *CPU*.",
            alerts=("EventLoopLags",),
        ),
        lines(
            "CPU",
            Query(
                expr=f"max by (service) (rate(process_cpu_seconds_total{{{_OWN}}}[$__rate_interval]))",
                legend="{{service}}",
            ),
            unit="percentunit",
            width=6,
            series=("api", "scheduler", "publisher", "health"),
            limits=rising(orange=0.8),
            shows="Cores in use by the busiest process of a service; 100 % is one core, more it cannot use.",
            normal="Under 80 %.",
            otherwise="Add replicas of that service.",
            alerts=("EventLoopLags",),
        ),
        lines(
            "Memory",
            Query(expr=f"max by (service) (process_resident_memory_bytes{{{_OWN}}})", legend="{{service}}"),
            unit="bytes",
            width=6,
            series=("api", "scheduler", "publisher", "health"),
            limits=rising(orange=0.8 * 512 * 1024 * 1024),  # of what the shipped set-ups allow a process
            shows="Resident memory of the largest process of a service.",
            normal="60 to 300 MiB, level after the first hour.",
            otherwise="Steady growth for hours: restart that process (it drains), and report it.",
            alerts=(
                "ProcessMemoryHigh",
                "ServiceRestarts",
            ),
        ),
        lines(
            "File descriptors",
            Query(
                expr=f"max by (service) (process_open_fds{{{_OWN}}} / process_max_fds{{{_OWN}}})",
                legend="{{service}}",
            ),
            unit="percentunit",
            width=6,
            series=("api", "scheduler", "publisher", "health"),
            limits=rising(orange=0.8),
            shows="Open descriptors of the fullest process of a service, as a share of what it may open.",
            normal="Under 50 %.",
            otherwise="The API: too many clients or event streams; raise the limit or add replicas.",
            alerts=("ProcessFilesHigh",),
        ),
    ),
)
