"""The rules that every board keeps, in the manner of Grafana's own linter of dashboards."""

from __future__ import annotations

import importlib
import itertools
import json
import re
import subprocess
import warnings
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.metrics import MetricWrapperBase

from deploy.grafana import BOARDS
from deploy.grafana.__main__ import DIRECTORY
from deploy.grafana.dashboard_json import dashboard_text
from deploy.local.binaries import find_binaries
from shared import metrics
from tests.observability.expressions import RULES, selectors

_FILES = sorted(DIRECTORY.glob("*.json"))
_DEPLOY = DIRECTORY.parents[1]
_NAMES = ["overview", "publishing", "queues", "dependencies"]
_UNITS = {"none", "short", "s", "percentunit", "percent", "bytes", "reqps", "ops", "cpm"}
_DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
_BUILT_IN = {"datasource", "__rate_interval", "__range"}
_TARGET_LABELS = {"job", "instance", "service"}
# Not ours to declare: what Prometheus, its client library and the broker tell.
_FOREIGN = {
    "ALERTS": {"alertname", "alertstate", "severity", "service"},
    "up": set(),
    "process_cpu_seconds_total": set(),
    "process_max_fds": set(),
    "process_open_fds": set(),
    "process_resident_memory_bytes": set(),
    "rabbitmq_channels": set(),
    "rabbitmq_connections": set(),
    "rabbitmq_disk_space_available_bytes": set(),
    "rabbitmq_disk_space_available_limit_bytes": set(),
    "rabbitmq_global_messages_unroutable_dropped_total": {"protocol"},
    "rabbitmq_global_messages_unroutable_returned_total": {"protocol"},
    "rabbitmq_process_max_fds": set(),
    "rabbitmq_process_open_fds": set(),
    "rabbitmq_process_resident_memory_bytes": set(),
    "rabbitmq_resident_memory_limit_bytes": set(),
}
_ENDINGS = {"counter": ["_total"], "gauge": [""], "histogram": ["_count", "_sum"]}
_RECORDED_LABELS = {"le", "method", "slo", "namespace", "service", "queue", "priority"}


@pytest.fixture(params=_FILES, ids=lambda file: file.stem)
def board(request) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(request.param.read_text(encoding="utf-8"))
    return loaded


def _panels(board: dict[str, Any]) -> list[dict[str, Any]]:
    """Those that ask Prometheus something."""
    return [panel for panel in board["panels"] if panel["type"] not in {"row", "text"}]


def _expressions(board: dict[str, Any]) -> list[str]:
    asked = [target["expr"] for panel in _panels(board) for target in panel["targets"]]
    return [*asked, *(each["expr"] for each in board["annotations"]["list"] if "expr" in each)]


def _rules() -> list[dict[str, Any]]:
    files = [yaml.safe_load(file.read_text(encoding="utf-8")) for file in RULES.glob("*.yml")]
    return [rule for file in files for group in file["groups"] for rule in group["rules"]]


def _declared() -> dict[str, tuple[str, set[str]]]:
    """Kind and labels of every series that the services tell."""
    known: dict[str, tuple[str, set[str]]] = {}
    for metric in vars(metrics).values():
        if isinstance(metric, MetricWrapperBase):
            [family] = metric.describe()
            labels = set(metric._labelnames)  # noqa: SLF001 - the library tells a metric's labels nowhere else
            known |= {family.name + ending: (family.type, labels) for ending in _ENDINGS[family.type]}
            if family.type == "histogram":
                known[f"{family.name}_bucket"] = (family.type, labels | {"le"})
    return known


def test_the_files_are_what_the_modules_say():
    """Grafana reads what `python -m deploy.grafana` wrote last, and nothing else lies there."""
    written = {file.stem: file.read_text(encoding="utf-8") for file in _FILES}

    assert written == {board.name: dashboard_text(board, BOARDS) for board in BOARDS}
    assert sorted(written) == sorted(_NAMES)


def test_grafanas_own_model_knows_every_field(board):
    """What Grafana's generated types read and write again is what was there: no field is misspelt or out of place."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the classic model is called old; it is the one that files are provisioned in
        model = importlib.import_module("grafana_foundation_sdk.models.dashboard")
        importlib.import_module("grafana_foundation_sdk.cog.plugins").register_default_plugins()
        encoder = importlib.import_module("grafana_foundation_sdk.cog.encoder").JSONEncoder()

    again = json.loads(encoder.encode(model.Dashboard.from_json(json.loads(json.dumps(board)))))

    assert _missing(board, again) == []


def _missing(there: Any, again: Any, path: str = "") -> list[str]:
    if isinstance(there, dict):
        pairs = [
            (f"{path}.{key}", value, again.get(key) if isinstance(again, dict) else None)
            for key, value in there.items()
        ]
    elif isinstance(there, list):
        pairs = [(f"{path}[]", *pair) for pair in itertools.zip_longest(there, again or [])]
    else:
        return [] if there == again else [path]
    return [fault for where, value, found in pairs for fault in _missing(value, found, where)]


def test_a_board_is_read_only_and_has_a_fixed_address(board):
    """Nobody edits in Grafana what the next start would overwrite, and links outlive a new Grafana."""
    assert board["editable"] is False
    assert re.fullmatch(r"instadistro-(overview|publishing|queues|dependencies)", board["uid"])
    assert "id" not in board
    assert board["graphTooltip"] == 1
    assert board["schemaVersion"] == 41
    assert board["refresh"]


def test_a_board_links_to_the_three_others_and_keeps_time_and_choices(board):
    """One is led on without choosing time and service again."""
    others = {f"/d/instadistro-{name}" for name in _NAMES} - {f"/d/{board['uid']}"}

    assert {link["url"] for link in board["links"]} == others
    assert all(link["keepTime"] and link["includeVars"] for link in board["links"])


def test_variables_are_closed_and_used(board):
    """The data source comes first; every other is a list of known values, stands for all at first, and is used."""
    source, *others = board["templating"]["list"]
    used = set(re.findall(r"\$\{?(\w+)", " ".join(_expressions(board))))

    assert (source["name"], source["type"], source["query"]) == ("datasource", "datasource", "prometheus")
    assert used - _BUILT_IN == {other["name"] for other in others}
    assert all(other["type"] == "custom" and other["query"] and other["allValue"] == ".*" for other in others)


def test_the_words_come_first_and_the_board_is_short(board):
    """It opens with what it is and what is normal; about a screen or two of panels follow."""
    first = board["panels"][0]

    assert first["type"] == "text"
    assert "normal" in first["options"]["content"].lower()
    assert 12 <= len(_panels(board)) <= 19


def test_panels_do_not_overlap(board):
    """Each has its place on a grid 24 wide."""
    taken: set[tuple[int, int]] = set()
    for panel in board["panels"]:
        at = panel["gridPos"]
        cells = set(itertools.product(range(at["x"], at["x"] + at["w"]), range(at["y"], at["y"] + at["h"])))

        assert not cells & taken, panel["title"]
        assert at["x"] + at["w"] <= 24
        taken |= cells


def test_each_panel_says_what_it_shows_what_is_normal_and_what_to_do(board):
    """One can be woken by it and know what to do; titles tell panels apart."""
    titles = [panel["title"] for panel in _panels(board)]

    assert len(set(titles)) == len(titles)
    for panel in _panels(board):
        shows, normal, otherwise, *_ = panel["description"].split("\n\n")
        assert shows.endswith("."), panel["title"]
        assert re.fullmatch(r"\*\*Normal:\*\* .+\.", normal), panel["title"]
        assert re.fullmatch(r"\*\*If not:\*\* .+[.?]", otherwise), panel["title"]


def test_each_runbook_named_is_of_an_alert_that_exists(board):
    """A page that a panel names is there."""
    named = set(re.findall(r"docs/runbooks/(\w+)\.md", json.dumps(board)))

    assert named <= {rule["alert"] for rule in _rules() if "alert" in rule}
    assert all((_DEPLOY.parent / "docs" / "runbooks" / f"{alert}.md").is_file() for alert in named)


def test_each_panel_has_a_unit_legends_and_the_chosen_data_source(board):
    """No number without its unit, no series without a name, no data source by name."""
    for panel in _panels(board):
        assert panel["fieldConfig"]["defaults"]["unit"] in _UNITS, panel["title"]
        assert panel["datasource"] == _DATASOURCE
        assert panel["targets"], panel["title"]
        for target in panel["targets"]:
            assert target["datasource"] == _DATASOURCE
            assert target["legendFormat"] or panel["type"] == "table", panel["title"]
            assert target["instant"] is not target["range"]
        if panel["type"] in {"stat", "timeseries"} and "thresholds" in panel["fieldConfig"]["defaults"]:
            steps = [step["value"] for step in panel["fieldConfig"]["defaults"]["thresholds"]["steps"][1:]]
            assert steps == sorted(steps), panel["title"]


def test_ranges_follow_the_zoom(board):
    """Rates are over `$__rate_interval`; only a single number may be counted over all of the time shown."""
    for panel in _panels(board):
        for target in panel["targets"]:
            allowed = {"$__rate_interval", "$__range"} if target["instant"] else {"$__rate_interval"}
            assert set(re.findall(r"\[([^\]]+)\]", target["expr"])) <= allowed, panel["title"]


def test_counters_are_read_as_rates(board):
    """A counter by itself says how old a process is; and nothing but a counter has a rate."""
    declared = _declared()
    for expression in _expressions(board):
        rated = {found.split("{")[0] for found in re.findall(r"\b(?:rate|increase)\(([^\[]+)\[", expression)}
        names = {selector.split("{")[0] for selector in selectors(expression)}
        ours = {name for name in names if name in declared}
        counters = {name for name in ours if declared[name][0] in {"counter", "histogram"}}
        assert counters == rated & ours, expression


def test_every_metric_and_label_is_declared(board):
    """A board asks for what the services, the rules, the broker or Prometheus tell, and by labels that they have."""
    declared = {name: labels for name, (_, labels) in _declared().items()}
    recorded = {rule["record"]: _RECORDED_LABELS for rule in _rules() if "record" in rule}
    known = {**declared, **recorded, **_FOREIGN}
    for expression in _expressions(board):
        found = selectors(expression)
        names = {selector.split("{")[0] for selector in found}
        assert names <= set(known), expression

        matched = set(re.findall(r"(\w+)\s*[=!]~?", " ".join(selector.partition("{")[2] for selector in found)))
        grouped = set(re.findall(r"\w+", " ".join(re.findall(r"\b(?:by|on)\s*\(([^)]*)\)", expression))))
        assert matched | grouped <= _TARGET_LABELS.union(*(known[name] for name in names)), expression


def test_legends_name_labels_that_the_answer_has(board):
    """A legend's `{{label}}` is one that the expression keeps."""
    for panel in _panels(board):
        for target in panel["targets"]:
            kept = set(re.findall(r"\w+", " ".join(re.findall(r"\bby \(([^)]*)\)", target["expr"]))))
            named = set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]))
            assert named <= (kept or _RECORDED_LABELS), panel["title"]


def test_prometheus_itself_parses_every_expression(board, tmp_path: Path):
    """Each is put into a file of rules, and promtool reads it."""
    promtool = find_binaries().promtool
    assert promtool is not None, "promtool is missing: apt-get install prometheus"
    filled = [
        re.sub(r"\$\{?\w+\}?", ".*", expression.replace("$__rate_interval", "1m").replace("$__range", "1h"))
        for expression in _expressions(board)
    ]
    rules = [{"record": f"panel:{number}", "expr": expression} for number, expression in enumerate(filled)]
    file = tmp_path / "boards.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "boards", "rules": rules}]}), encoding="utf-8")

    done = subprocess.run([promtool, "check", "rules", file], capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == 0, done.stderr + done.stdout
    assert f"{len(rules)} rules found" in done.stdout


def test_a_state_has_one_colour_everywhere():
    """What is green on one board is green on all, and within a panel colours tell series apart."""
    colours: dict[str, set[str]] = {}
    for panel in (panel for file in _FILES for panel in _panels(json.loads(file.read_text(encoding="utf-8")))):
        in_panel = []
        for override in panel["fieldConfig"]["overrides"]:
            in_panel.append(override["properties"][0]["value"]["fixedColor"])
            colours.setdefault(override["matcher"]["options"], set()).add(in_panel[-1])
        assert len(set(in_panel)) == len(in_panel), panel["title"]

    assert colours
    assert {name: found for name, found in colours.items() if len(found) > 1} == {}


def test_grafana_is_given_the_boards_and_their_prometheus_read_only():
    """The uid is the one the boards begin with, and rates know how often Prometheus scrapes."""
    provisioning = DIRECTORY.parent / "provisioning"
    (source,) = yaml.safe_load((provisioning / "datasources" / "prometheus.yml").read_text())["datasources"]
    (provider,) = yaml.safe_load((provisioning / "dashboards" / "instadistro.yml").read_text())["providers"]
    scraping = yaml.safe_load((_DEPLOY / "prometheus" / "prometheus.yml").read_text())["global"]

    assert (source["uid"], source["url"], source["editable"]) == ("prometheus", "http://prometheus:9090", False)
    assert source["jsonData"]["timeInterval"] == scraping["scrape_interval"]
    assert (provider["allowUiUpdates"], provider["disableDeletion"]) == (False, True)
    assert provider["options"]["path"] == "/var/lib/grafana/dashboards"
