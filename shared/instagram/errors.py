"""What a call to the platform can raise, and what each error lets the caller conclude."""

from __future__ import annotations

from shared.errors import InstaDistroError
from shared.instagram.error_rules import ErrorClass, ErrorRule


class InstagramError(InstaDistroError):
    """Base of what a call to the platform raises. Catch it where any failed call means the same."""

    def __init__(self, text: str, *, operation: str, outcome: str) -> None:
        super().__init__(f"{operation}: {text}")
        self.operation = operation
        self.outcome = outcome  # bounded set of words: fit for a metric label


class GraphError(InstagramError):
    """The platform answered with a refusal. Act on `error_class`; after a publish verify first if `may_be_live`."""

    def __init__(
        self,
        *,
        operation: str,
        rule: ErrorRule,
        code: int | None,
        subcode: int | None,
        message: str,
        http_status: int,
        fbtrace_id: str | None,
        is_transient: bool,
    ) -> None:
        where = f"code {code}, subcode {subcode}, HTTP {http_status}, trace {fbtrace_id}"
        said = f" The platform said: {message}" if message else ""
        super().__init__(
            f"{rule.meaning} ({where}). {rule.advice}{said}", operation=operation, outcome=rule.error_class
        )
        self.rule = rule
        self.code = code
        self.subcode = subcode
        self.message = message  # the platform's words, without the token and cut to a bounded length
        self.http_status = http_status
        self.fbtrace_id = fbtrace_id
        self.is_transient = is_transient

    @property
    def error_class(self) -> ErrorClass:
        """What to do about it."""
        return self.rule.error_class

    @property
    def may_be_live(self) -> bool:
        """Whether a publish that was refused so can have gone live all the same."""
        return self.rule.may_be_live


class GraphUnclearError(InstagramError):
    """The request left, no usable answer came: its effect is unknown. Repeat a read; after a publish probe first."""

    def __init__(self, reason: str, *, operation: str, http_status: int | None = None) -> None:
        text = f"sent, but no usable answer came: {reason}. Its effect is unknown: look before repeating it."
        super().__init__(text, operation=operation, outcome="unclear")
        self.reason = reason
        self.http_status = http_status


class GraphUnreachableError(InstagramError):
    """Not one byte of the request reached the platform: certainly no effect. Repeat it with backoff, even a publish.

    With `through_proxy` it was the account's own egress that failed: no word about the platform or other accounts.
    """

    def __init__(self, reason: str, *, operation: str, through_proxy: bool = False) -> None:
        check = "the account's proxy" if through_proxy else "name resolution, network and TLS"
        super().__init__(
            f"nothing was sent: {reason}. Check {check}, then repeat.", operation=operation, outcome="unreachable"
        )
        self.reason = reason
        self.through_proxy = through_proxy
