"""The domain's rules of publications: states and arrows as data, and the functions that obey them."""

from shared.publications.bring_forward import bring_forward
from shared.publications.claim import Refusal, Refused, Unfit, claim
from shared.publications.content import PersonTag, PostOptions, PostType
from shared.publications.create import DEFAULT_MAX_LATENESS_S, Draft, create_publications, find_duplicates
from shared.publications.job import publish_message
from shared.publications.plan import PlanError, Window, plan_distribution
from shared.publications.plan_check import CHECK_AHEAD_S, plan_media_check
from shared.publications.postpone import postpone
from shared.publications.publication import Publication
from shared.publications.reach_media import Look, Medium, find_unfetched, look_at, note_looks
from shared.publications.release import release_held
from shared.publications.rescue import note_broker_emptied, rescue_publications
from shared.publications.states import ARROWS, ENDED, Owner, PublicationState, Step, draw_states
from shared.publications.transition import Change, transition

__all__ = [
    "ARROWS",
    "CHECK_AHEAD_S",
    "DEFAULT_MAX_LATENESS_S",
    "ENDED",
    "Change",
    "Draft",
    "Look",
    "Medium",
    "Owner",
    "PersonTag",
    "PlanError",
    "PostOptions",
    "PostType",
    "Publication",
    "PublicationState",
    "Refusal",
    "Refused",
    "Step",
    "Unfit",
    "Window",
    "bring_forward",
    "claim",
    "create_publications",
    "draw_states",
    "find_duplicates",
    "find_unfetched",
    "look_at",
    "note_broker_emptied",
    "note_looks",
    "plan_distribution",
    "plan_media_check",
    "postpone",
    "publish_message",
    "release_held",
    "rescue_publications",
    "transition",
]
