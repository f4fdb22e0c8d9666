"""The domain's rules of publications: states and arrows as data, and the functions that obey them."""

from shared.publications.bring_forward import bring_forward
from shared.publications.capacity import lock_plans, read_candidates
from shared.publications.caps import Standing, read_standing
from shared.publications.change import Change
from shared.publications.claim import Refusal, Refused, Unfit, claim
from shared.publications.content import PersonTag, PostOptions, PostType
from shared.publications.create import DEFAULT_MAX_LATENESS_S, Draft, create_publications, find_duplicates
from shared.publications.distribute import NewDistribution, write_distribution
from shared.publications.edit import revise
from shared.publications.ended import FAILED_REASONS, Ending, count_ended, ending_of
from shared.publications.gates import held_because, is_still_paused
from shared.publications.halt import Halt
from shared.publications.job import publish_message
from shared.publications.lift_health_cap import lift_health_cap
from shared.publications.plan import Plan, PlanError, Window, plan_distribution
from shared.publications.plan_check import CHECK_AHEAD_S, plan_media_check
from shared.publications.postpone import postpone
from shared.publications.publication import Publication
from shared.publications.reach_media import Look, Medium, find_unfetched, find_unfetched_media, look_at, note_looks
from shared.publications.release import Released, release_distribution, release_held
from shared.publications.release_accounts import lock_held_back, release_accounts
from shared.publications.reschedule import reschedule
from shared.publications.rescue import note_broker_emptied, rescue_publications
from shared.publications.restored import RESTORED, UNKNOWN_CONTAINER, look_up_first
from shared.publications.room import Candidate
from shared.publications.states import ARROWS, ENDED, Owner, PublicationState, Step, draw_states
from shared.publications.stop import Stopped, stop_publications
from shared.publications.targets import Target, find_group_targets, find_targets
from shared.publications.transition import transition, transition_all

__all__ = [
    "ARROWS",
    "CHECK_AHEAD_S",
    "DEFAULT_MAX_LATENESS_S",
    "ENDED",
    "FAILED_REASONS",
    "RESTORED",
    "UNKNOWN_CONTAINER",
    "Candidate",
    "Change",
    "Draft",
    "Ending",
    "Halt",
    "Look",
    "Medium",
    "NewDistribution",
    "Owner",
    "PersonTag",
    "Plan",
    "PlanError",
    "PostOptions",
    "PostType",
    "Publication",
    "PublicationState",
    "Refusal",
    "Refused",
    "Released",
    "Standing",
    "Step",
    "Stopped",
    "Target",
    "Unfit",
    "Window",
    "bring_forward",
    "claim",
    "count_ended",
    "create_publications",
    "draw_states",
    "ending_of",
    "find_duplicates",
    "find_group_targets",
    "find_targets",
    "find_unfetched",
    "find_unfetched_media",
    "held_because",
    "is_still_paused",
    "lift_health_cap",
    "lock_held_back",
    "lock_plans",
    "look_at",
    "look_up_first",
    "note_broker_emptied",
    "note_looks",
    "plan_distribution",
    "plan_media_check",
    "postpone",
    "publish_message",
    "read_candidates",
    "read_standing",
    "release_accounts",
    "release_distribution",
    "release_held",
    "reschedule",
    "rescue_publications",
    "revise",
    "stop_publications",
    "transition",
    "transition_all",
    "write_distribution",
]
