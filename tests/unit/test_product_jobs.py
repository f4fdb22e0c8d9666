"""Product code adds jobs with its data, never beside it."""

import ast
from pathlib import Path

import pytest

PRODUCT = sorted([*Path("services").rglob("*.py"), *Path("shared/publications").rglob("*.py")])


def adds_without_tx(source):
    """Lines on which a job is added straight to the broker: `add` or `add_many` of a JobType without `tx`."""
    return [
        node.lineno
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in {"add", "add_many"}
        and any("JobType" in ast.unparse(argument) for argument in node.args[:1])
        and not any(keyword.arg == "tx" for keyword in node.keywords)
    ]


@pytest.mark.parametrize("file", PRODUCT, ids=str)
def test_no_job_is_added_beside_the_transaction_of_its_data(file):
    """A plain add promises only what the broker keeps; a row without its job, or the reverse, waits for a rescue."""
    assert adds_without_tx(file.read_text(encoding="utf-8")) == []


def test_the_check_finds_what_it_is_for():
    """It would be worth nothing otherwise."""
    source = "await queue.add(JobType.A, data)\nawait queue.add(JobType.A, data, tx=tx)\nseen.add(name)\n"

    assert adds_without_tx(source) == [1]
