"""The state machine as data."""

from pathlib import Path

import pytest

from shared.publications import ARROWS, ENDED, Owner, PublicationState, draw_states
from shared.publications.states import event_of, sources_of

S = PublicationState


def test_every_state_is_reached_from_scheduled():
    """No state is a word without a way to it."""
    reached, front = {S.SCHEDULED}, {S.SCHEDULED}

    while front:
        front = {arrow.target for arrow in ARROWS if arrow.source in front} - reached
        reached |= front

    assert reached == set(S)


def test_ended_states_are_left_only_by_the_api():
    """What has ended goes on only because a person asked."""
    leaving = {arrow.owner for arrow in ARROWS if arrow.source in ENDED}

    assert leaving == {Owner.API}
    assert not [arrow for arrow in ARROWS if arrow.source is S.PUBLISHED]


def test_only_the_publisher_leaves_publishing():
    """A claim is the publisher's; nobody else writes under it."""
    assert {arrow.owner for arrow in ARROWS if arrow.source is S.PUBLISHING} == {Owner.PUBLISHER}


def test_only_release_held_leads_from_held_to_scheduled():
    """Nothing that is held starts again without all gates being asked."""
    arrows = [arrow for arrow in ARROWS if arrow.source is S.HELD and arrow.target is S.SCHEDULED]

    assert [arrow.owner for arrow in arrows] == [Owner.RELEASE]


@pytest.mark.parametrize("arrow", ARROWS, ids=lambda arrow: f"{arrow.source}-{arrow.target}-{arrow.owner}")
def test_each_arrow_is_found_by_target_and_owner(arrow):
    """The lookup that transitions use knows every arrow."""
    assert arrow.source in sources_of(arrow.target, arrow.owner)


def test_every_arrival_but_a_claim_has_an_event():
    """Whoever listens hears of every arrival, and a deferral is told from a new start."""
    events = {
        (arrow.target, arrow.owner): event_of(arrow.target, arrow.owner)
        for arrow in ARROWS
        if arrow.target is not S.PUBLISHING
    }

    assert events[S.SCHEDULED, Owner.PUBLISHER] == "publication.deferred"
    assert events[S.SCHEDULED, Owner.API] == events[S.SCHEDULED, Owner.RELEASE] == "publication.scheduled"
    assert all(
        name == f"publication.{target}" for (target, owner), name in events.items() if owner is not Owner.PUBLISHER
    )


def test_the_drawing_in_the_docs_is_the_one_of_the_code():
    """docs/lifecycle.md shows the arrows of this version."""
    page = Path("docs/lifecycle.md").read_text(encoding="utf-8")

    assert f"```mermaid\n{draw_states()}\n```" in page
