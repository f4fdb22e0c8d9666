from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from deploy.emulator.error_table import INVALID_PARAMETER, NO_SUCH_OBJECT
from deploy.emulator.errors import GraphError
from deploy.emulator.faults import Fault
from deploy.emulator.options import Options
from deploy.emulator.runtime import Emulator
from deploy.emulator.state import Account, Activity, World


@dataclass(kw_only=True, slots=True)
class Call:
    """One Graph call on its way through the emulator, after it was found whose it is."""

    emulator: Emulator
    world: World
    account: Account  # whose token or code it carries
    access_token: str  # empty where a code came instead
    node: str  # first part of the path: an id, or "me"
    params: dict[str, str]  # of query and body
    url: str  # as called, without the query
    origin: str  # scheme, host and port as called
    fault: Fault | None = None  # that it met
    container_id: str | None = None  # filled in on the way, for the record
    media_id: str | None = None

    @property
    def options(self) -> Options:
        """The options of this moment."""
        return self.emulator.options

    @property
    def activity(self) -> Activity:
        """What the calling account did lately."""
        return self.world.activity[self.account.ig_user_id]

    def now(self) -> datetime:
        """The emulator's time."""
        return self.emulator.clock.now()

    def require_own_account(self) -> None:
        """Make sure that the path names the account whose token came along.

        Raises:
            GraphError: it names something else.
        """
        if self.node not in {"me", self.account.ig_user_id}:
            raise no_such_object(self.node)

    def required(self, name: str) -> str:
        """A parameter that the call cannot do without.

        Raises:
            GraphError: it is missing or empty.
        """
        if text := self.params.get(name):
            return text
        raise GraphError(INVALID_PARAMETER, f"(#100) The parameter {name} is required")


def no_such_object(any_id: str) -> GraphError:
    """The one answer to ids that do not exist, or belong to another account."""
    return GraphError(
        NO_SUCH_OBJECT,
        f"Unsupported request. Object with ID '{any_id}' does not exist, cannot be loaded due to missing permissions, "
        "or does not support this operation",
    )
