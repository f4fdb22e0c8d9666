"""The table of a run, as people read it."""

from __future__ import annotations

from collections.abc import Iterator

from tests.faults.publishing.run import Outcome


def table(outcome: Outcome) -> str:
    """Every figure on its own line; those that must be 0 stand last."""
    lines = list(_lines(outcome))
    width = max(len(name) for name, _ in lines)
    return "\n".join(f"  {name:<{width}}  {value}".rstrip() for name, value in lines)


def _lines(outcome: Outcome) -> Iterator[tuple[str, str]]:
    ledger, plan = outcome.ledger, outcome.plan
    yield "publications", f"{ledger.publications:,}"
    yield "seed, double publish at the platform", f"{plan.seed}, {plan.double_publish}"
    yield "seconds", f"{outcome.seconds:.0f}"
    yield "calls to the platform", f"{outcome.calls:,}"
    yield "claims", f"{ledger.claims:,}"
    yield "moves along arrows", f"{ledger.moves:,}"
    yield "", ""
    for name, number in sorted(outcome.done.items()):
        yield name, f"{number:,}"
    for kind, number in sorted(outcome.faults.items()):
        yield f"calls that met {kind}", f"{number:,}"
    yield "", ""
    for (state, reason), number in sorted(ledger.states.items(), key=lambda item: -item[1]):
        yield state + (f", {reason}" if reason else ""), f"{number:,}"
    yield "", ""
    yield "twice, by a worker frozen between mark and call", f"{len(ledger.twice_frozen)}"
    yield "lost (told as published, not live)", f"{len(ledger.lost)}"
    yield "twice", f"{len(ledger.twice)}"
    yield "denied (live, told as not published)", f"{len(ledger.denied)}"
    yield "moves along no arrow", f"{ledger.illegal_arrows}"
    yield "without an end state or a reason", f"{len(ledger.unsettled)}"
