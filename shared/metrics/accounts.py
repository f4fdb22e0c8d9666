"""Accounts: in which state they are, when their tokens end, how much of their limits is used."""

from prometheus_client import Gauge

accounts = Gauge("instadistro_accounts", "Accounts by state.", ("state",))
accounts_in_band = Gauge("instadistro_accounts_in_band", "Accounts by the band of their health.", ("band",))
tokens_ending = Gauge(
    "instadistro_tokens_ending", "Accounts in use whose token ends within so many days.", ("within_days",)
)
token_first_end_seconds = Gauge(
    "instadistro_token_first_end_seconds", "Time until the first token of an account in use ends; negative: since."
)
# None is known until somebody has looked: 0 would say that one ends now.
token_first_end_seconds.set(float("inf"))
accounts_by_quota_use = Gauge(
    "instadistro_accounts_by_quota_use",
    "Accounts that published within a day, by the share of the platform's publishing limit they have used.",
    ("used",),
)
