"""Alerts: what a person should know, raised once for each thing and subject, and resolved when it is over."""

from shared.alerts.alert import Alert, AlertCode, AlertState, Severity
from shared.alerts.by_person import acknowledge_alert, resolve_alert
from shared.alerts.live import raise_alerts, resolve_alerts, settle_alerts

__all__ = [
    "Alert",
    "AlertCode",
    "AlertState",
    "Severity",
    "acknowledge_alert",
    "raise_alerts",
    "resolve_alert",
    "resolve_alerts",
    "settle_alerts",
]
