"""Alerts: what a person should know, raised once for each thing and subject, and resolved when it is over."""

from shared.alerts.live import Alert, AlertCode, Severity, raise_alerts, resolve_alerts

__all__ = ["Alert", "AlertCode", "Severity", "raise_alerts", "resolve_alerts"]
