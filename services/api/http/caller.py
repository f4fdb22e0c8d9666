"""Who asks: the tenant, and what its key may do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from services.api.http.problems import Fault, ProblemError, not_found


class Scope(StrEnum):
    """What a key may do."""

    READ = "read"
    WRITE = "write"
    ADMIN = "admin"  # keys and the audit log
    OPERATOR = "operator"  # the jobs of all tenants


@dataclass(frozen=True, kw_only=True)
class Caller:
    """The tenant a request speaks for, and the key it came with."""

    user_id: UUID
    email: str
    scopes: frozenset[str]
    key_id: str  # the part of the key that is no secret
    account_ids: frozenset[UUID] | None = None  # the only accounts it may see and act on; None: all of the tenant's
    expires_at: datetime | None = None  # the end of the key; None: it has none

    @property
    def allowed(self) -> list[UUID] | None:
        """The same as a parameter of a query; None: no condition."""
        return None if self.account_ids is None else sorted(self.account_ids)

    def sees(self, account_id: UUID) -> bool:
        """Whether the key may see this account, and act on it."""
        return self.account_ids is None or account_id in self.account_ids

    def require_seen(self, account_id: UUID) -> None:
        """Go on only if the key may see this account.

        Raises:
            ProblemError: `not_found`, as for an account that is not there.
        """
        if not self.sees(account_id):
            raise not_found("account")

    def require_allowed(self, account_ids: Iterable[UUID], *, named: bool = False) -> None:
        """Go on only if the key may act on all of these accounts.

        Args:
            account_ids: the accounts.
            named: the request itself names them. Others, such as a group's, are not told to a key that sees them not.

        Raises:
            ProblemError: `account_not_allowed`.
        """
        forbidden = [account_id for account_id in account_ids if not self.sees(account_id)]
        if forbidden:
            message = "The API key is limited to other accounts."
            faults = [Fault(code="account_not_allowed", message=message, account_id=one) for one in forbidden]
            raise ProblemError("account_not_allowed", message, errors=faults if named else ())
