"""The domain's rules of accounts: states, arrows, and the one function that moves an account along them."""

from shared.accounts.states import ARROWS, PUBLISHABLE, AccountState, Owner
from shared.accounts.transition import transition_account

__all__ = ["ARROWS", "PUBLISHABLE", "AccountState", "Owner", "transition_account"]
