"""A panel in Grafana's JSON model."""

from __future__ import annotations

from typing import Any

from deploy.grafana.colours import OF_SERIES
from deploy.grafana.panel import Limits, Panel, Query, Words

DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
_LAST = {"calcs": ["lastNotNull"], "fields": "", "values": False}


def panel_json(panel: Panel) -> dict[str, Any]:
    """All of a panel but its id and its place."""
    if panel.kind == "text":
        return {
            "type": "text",
            "title": panel.title,
            "transparent": True,
            "options": {"mode": "markdown", "content": panel.content},
        }
    return {
        "type": panel.kind,
        "title": panel.title,
        "description": _description(panel.words) if panel.words else "",
        "datasource": DATASOURCE,
        "fieldConfig": {"defaults": _defaults(panel), "overrides": [_override(name) for name in panel.series]},
        "options": _options(panel),
        "targets": [_target(panel, query, chr(ord("A") + index)) for index, query in enumerate(panel.queries)],
        **({"transformations": [_labels_only()]} if panel.kind == "table" else {}),
    }


def _description(words: Words) -> str:
    parts = [words["shows"], f"**Normal:** {words['normal']}", f"**If not:** {words['otherwise']}"]
    if pages := [f"`docs/runbooks/{alert}.md`" for alert in words.get("alerts", ())]:
        parts.append(f"**Runbook:** {', '.join(pages)}")
    return "\n\n".join(parts)


def _target(panel: Panel, query: Query, name: str) -> dict[str, Any]:
    return {
        "refId": name,
        "datasource": DATASOURCE,
        "editorMode": "code",
        "expr": query.expr,
        "legendFormat": query.legend,
        "format": "table" if panel.kind == "table" else "time_series",
        "instant": panel.instant,
        "range": not panel.instant,
    }


def _defaults(panel: Panel) -> dict[str, Any]:
    by_limits = panel.limits is not None and panel.kind != "timeseries"
    return {
        "unit": panel.unit,
        "color": {"mode": "thresholds" if by_limits else "palette-classic-by-name"},
        "noValue": "no data",
        **({"thresholds": _thresholds(panel.limits)} if panel.limits else {}),
        **({"max": panel.highest} if panel.highest is not None else {}),
        **({"min": 0} if panel.kind in {"timeseries", "bargauge"} else {}),
        **({"custom": _course(panel)} if panel.kind == "timeseries" else {}),
    }


def _course(panel: Panel) -> dict[str, Any]:
    return {
        "drawStyle": "line",
        "lineInterpolation": "linear",
        "lineWidth": 0 if panel.stacked else 1,
        "fillOpacity": 60 if panel.stacked else 0,
        "gradientMode": "none",
        "showPoints": "never",
        "spanNulls": False,
        "stacking": {"mode": "normal" if panel.stacked else "none", "group": "A"},
        "thresholdsStyle": {"mode": "dashed" if panel.limits else "off"},
    }


def _thresholds(limits: Limits) -> dict[str, Any]:
    steps = [{"color": limits.lowest, "value": None}]
    return {
        "mode": "absolute",
        "steps": steps + [{"color": colour, "value": limit} for limit, colour in limits.steps],
    }


def _override(name: str) -> dict[str, Any]:
    colour = {"id": "color", "value": {"mode": "fixed", "fixedColor": OF_SERIES[name]}}
    return {"matcher": {"id": "byName", "options": name}, "properties": [colour]}


def _options(panel: Panel) -> dict[str, Any]:
    if panel.kind == "stat":
        return {
            "colorMode": "background",
            "graphMode": "none" if panel.instant else "area",
            "justifyMode": "auto",
            "orientation": "auto",
            "textMode": "value",
            "reduceOptions": _LAST,
        }
    if panel.kind == "bargauge":
        return {
            "displayMode": "basic",
            "orientation": "horizontal",
            "valueMode": "color",
            "showUnfilled": True,
            "reduceOptions": _LAST,
        }
    if panel.kind == "table":
        return {"showHeader": True, "cellHeight": "sm"}
    return {
        "legend": {"showLegend": True, "displayMode": "list", "placement": "bottom", "calcs": ["lastNotNull"]},
        "tooltip": {"mode": "multi", "sort": "desc"},
    }


def _labels_only() -> dict[str, Any]:
    return {"id": "organize", "options": {"excludeByName": {"Time": True, "Value": True}}}
