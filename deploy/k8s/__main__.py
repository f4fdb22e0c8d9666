"""Writes components/monitoring/rules.yaml from the rules that Prometheus reads elsewhere: `python -m deploy.k8s`."""

from __future__ import annotations

from pathlib import Path

_HERE = Path(__file__).parent
FILE = _HERE / "components" / "monitoring" / "rules.yaml"
RULES = _HERE.parent / "prometheus" / "rules"

_HEAD = """\
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: instadistro-{name}
  labels:
    release: kube-prometheus-stack
spec:
"""


def prometheus_rules() -> str:
    """The text of the file: one PrometheusRule for each file of deploy/prometheus/rules."""
    return "---\n".join(_rule(path) for path in sorted(RULES.glob("*.yml")))


def _rule(path: Path) -> str:
    lines = path.read_text(encoding="utf-8").splitlines()
    return _HEAD.format(name=path.stem) + "".join(f"  {line}\n" if line else "\n" for line in lines)


if __name__ == "__main__":
    text = "# Written by `python -m deploy.k8s` from deploy/prometheus/rules; change those.\n" + prometheus_rules()
    FILE.write_text(text, encoding="utf-8")
    print(f"wrote {FILE}")
