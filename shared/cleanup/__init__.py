"""What is kept for how long, and letting go of the rest without getting in anybody's way."""

from shared.cleanup.clean_up import CleanedUp, clean_up
from shared.cleanup.count_old import COUNT_MAX, Old, count_old
from shared.cleanup.policies import Policy, choose_policies

__all__ = ["COUNT_MAX", "CleanedUp", "Old", "Policy", "choose_policies", "clean_up", "count_old"]
