"""The sample arguments of catalogued queries: whoever populates a database answers each of these names."""

from __future__ import annotations

from collections.abc import Mapping

#: Each name, and what a populated database answers for it. The tenant is one of many accounts.
SAMPLES: Mapping[str, str] = {
    "user_id": "uuid: a tenant with very many accounts and publications",
    "account_id": "uuid: one of its accounts, with publications",
    "account_text": "text: the same id",
    "account_ids": "uuid[]: 20 of its accounts",
    "account_state": "text: a state that few of its accounts are in",
    "tag": "text: a tag that few accounts bear",
    "instagram_user_id": "text: of `account_id`",
    "instagram_user_ids": "text[]: of `account_ids`",
    "api_key_id": "text: the `key_id` of an API key",
    "proxy_id": "uuid: a proxy of the tenant, that some of its accounts use",
    "proxy_ids": "uuid[]: 20 proxies",
    "group_id": "uuid: a group of the tenant, with members",
    "group_name": "text: its name",
    "media_id": "uuid: of the tenant",
    "media_ids": "uuid[]: of the tenant, 1 to 10",
    "platform_media_ids": "text[]: `media_id` of 50 publications of `account_id`, or texts like them",
    "post_id": "uuid: a post of the tenant with many publications",
    "new_post_id": "uuid: a post of the tenant with few publications",
    "distribution_id": "uuid: a distribution of the tenant with many publications",
    "publication_id": "uuid: a publication of the tenant",
    "publication_ids": "uuid[]: 20 of its publications",
    "publication_state": "text: a state that few of its publications are in, and not `published`",
    "day_begin": "timestamptz: the begin of a day on which some of its publications are due",
    "day_end": "timestamptz: its end",
    "created_at": "timestamptz: a time in the middle of the tenant's lists",
    "row_id": "uuid: any",
    "outbox_ids": "bigint[]: `id` of 20 rows",
    "outbox_subjects": "text[]: `subject` of 20 rows of the type post:publish",
    "dead_id": "uuid: a dead job",
    "dead_ids": "uuid[]: 20 dead jobs",
    "dead_type": "text: the type of few dead jobs",
    "dead_reason": "text: why they died",
    "dead_subject": "text: of `dead_id`",
    "died_at": "timestamptz: a time in the middle of the dead jobs",
    "recurring_name": "text: of a recurring job",
    "recurring_names": "text[]: of 20 recurring jobs",
    "job_type": "text: health:check",
    "post_publish": "text: post:publish",
    "text": "text: any",
    "time": "timestamptz: any",
}
