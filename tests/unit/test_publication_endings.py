"""Whose doing it is that a publication failed: every reason that the code can write is known."""

import ast
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from services.publisher.effects import EFFECTS, Fate
from shared.jobs.outcomes import ENGINE_REASONS
from shared.publications import FAILED_REASONS, Ending, PublicationState, ending_of

CHECKOUT = Path(__file__).parents[2]
# Written by a person alone, who is not counted.
_BY_PERSON = {"resolved_by_user"}
_LASTS = {Fate.RETRY, Fate.RENEW}


def texts_of(call, name):
    return [
        word.value.value
        for word in call.keywords
        if word.arg == name and isinstance(word.value, ast.Constant) and isinstance(word.value.value, str)
    ]


def is_failed(call):
    """Whether a `Change` leads to `failed`."""
    return any(word.arg == "to" and ast.unparse(word.value).endswith("FAILED") for word in call.keywords)


def written_reasons():
    """Each reason of a failure that stands in the sources."""
    found = set()
    for room in ("services/publisher", "services/scheduler", "services/health", "shared/publications"):
        for file in (CHECKOUT / room).rglob("*.py"):
            for call in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if not isinstance(call, ast.Call):
                    continue
                name = ast.unparse(call.func)
                if name == "Failed" or (name == "Change" and is_failed(call)):
                    found.update(texts_of(call, "reason"))
                if name == "Retry":
                    found.update(texts_of(call, "spent"))
    found |= {effect.reason for effect in EFFECTS.values() if effect.fate is Fate.FAIL}
    found |= {effect.spent for effect in EFFECTS.values() if effect.fate in _LASTS}
    return found - _BY_PERSON


def test_every_reason_of_a_failure_is_classified():
    """None is written that the objective does not know, and none is known that nobody writes."""
    written = written_reasons() | ENGINE_REASONS

    assert {"content_rejected", "content_gone", "media_unreachable", "not_published", "exhausted"} <= written
    assert written == FAILED_REASONS.keys()


def test_only_what_its_owner_can_mend_is_refused():
    """Neither the platform's failures nor our own pass for the content's."""
    refused = {reason for reason, ending in FAILED_REASONS.items() if ending is Ending.REFUSED}

    assert refused == {"content_rejected", "content_gone"}


@pytest.mark.parametrize(
    ("state", "reason", "ending"),
    [
        (PublicationState.PUBLISHED, None, Ending.PUBLISHED),
        (PublicationState.FAILED, "content_rejected", Ending.REFUSED),
        (PublicationState.FAILED, "exhausted", Ending.FAILED),
        (PublicationState.FAILED, "a reason of tomorrow", Ending.FAILED),
        (PublicationState.MISSED, "quota", Ending.MISSED),
        (PublicationState.MISSED, "reauth_required", Ending.MISSED),
        (PublicationState.MISSED, "account_paused", None),
        (PublicationState.MISSED, "account_disconnected", None),
        (PublicationState.MISSED, "distribution_paused", None),
        (PublicationState.OUTCOME_UNKNOWN, "unverified", Ending.UNKNOWN),
        (PublicationState.SCHEDULED, "quota", None),
        (PublicationState.HELD, "account_paused", None),
        (PublicationState.CANCELED, "canceled_by_user", None),
    ],
)
def test_how_a_publication_ended(state, reason, ending):
    """What waits has not ended, and what a person canceled, or stopped until it was too late, did not end by itself."""
    assert ending_of(state, reason) is ending


def test_every_ending_stands_at_zero_before_the_first():
    """A rate sees the first one too."""
    for ending in Ending:
        assert REGISTRY.get_sample_value("instadistro_publications_ended_total", {"outcome": ending.value}) is not None
