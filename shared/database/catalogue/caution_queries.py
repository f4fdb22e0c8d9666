"""Queries of what follows from an account's health: how careful the system is with it, and who waives that."""

from __future__ import annotations

from shared.database.catalogue.query import CataloguedQuery

_EFFECTS = "services.health.effects"
_STORE = "services.api.health.store"
_OWN = ("user_id", "account_id")

CAUTION_QUERIES: tuple[CataloguedQuery, ...] = (
    CataloguedQuery(
        name="accounts.lock_cautions",
        source=f"{_EFFECTS}:_LOCK",
        arguments=("account_ids", "account_ids"),
        index="accounts_pkey",
    ),
    CataloguedQuery(
        name="accounts.set_cautions",
        source=f"{_EFFECTS}:_SET",
        arguments=("account_ids", "account_ids", ["held"]),
        index="accounts_pkey",
    ),
    CataloguedQuery(
        name="accounts.end_waivers",
        source="services.health.end_waivers:_END",
        arguments=(200,),
        index="accounts_waived",
        also=("accounts_pkey", "health_scores_pkey"),
        ordered=True,
    ),
    CataloguedQuery(
        name="accounts.lock_caution", source=f"{_STORE}:_LOCK_CAUTION", arguments=_OWN, index="accounts_user_id_id_key"
    ),
    CataloguedQuery(
        name="accounts.waive",
        source=f"{_STORE}:_WAIVE",
        arguments=(*_OWN, 24),
        index="accounts_user_id_id_key",
        also=("health_scores_pkey",),
    ),
    CataloguedQuery(
        name="accounts.end_waiver",
        source=f"{_STORE}:_END_WAIVER",
        arguments=_OWN,
        index="accounts_user_id_id_key",
        also=("health_scores_pkey",),
    ),
    CataloguedQuery(
        name="publications.room_at",
        source="shared.publications.caps:_ROOM_AT",
        arguments=(*_OWN, 25),
        index="publications_account_page",
    ),
    CataloguedQuery(
        name="publications.lock_held_back",
        source="shared.publications.release_accounts:_HELD_BACK",
        arguments=("user_id", "account_ids"),
        index="publications_health_cap",
        also=("publications_due", "publications_pkey"),
    ),
    CataloguedQuery(
        name="publications.lift_health_cap",
        source="shared.publications.lift_health_cap:_LIFT",
        arguments=("user_id", "account_ids", 60.0),
        index="publications_health_cap",
        also=("publications_pkey",),
    ),
)
