"""How much of its limit of calls an account has used, as the answers to some of its calls told."""

from __future__ import annotations

from shared.instagram import GraphAccount, InstagramError, Usage, Watch


class UsageWatch:
    """Watches a client in the gate's stead, tells the gate, and keeps the share of those that are listened for."""

    def __init__(self, gate: Watch) -> None:
        """Tell `gate` of every exchange."""
        self._gate = gate
        self._percents: dict[str, int | None] = {}

    def saw(self, account: GraphAccount, operation: str, *, usage: Usage | None, error: InstagramError | None) -> None:
        """See `Watch`."""
        self._gate.saw(account, operation, usage=usage, error=error)
        if usage is not None and usage.account_percent is not None and account.ig_user_id in self._percents:
            self._percents[account.ig_user_id] = usage.account_percent

    def listen(self, ig_user_id: str) -> None:
        """Keep what is told of this account, until it is taken."""
        self._percents[ig_user_id] = None

    def take(self, ig_user_id: str) -> int | None:
        """The share in percent that was told last; None if the platform did not say."""
        return self._percents.pop(ig_user_id, None)
