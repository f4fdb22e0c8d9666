"""Changing a proxy."""

from __future__ import annotations

from uuid import UUID

from msgspec import UNSET

from services.api.proxies import store
from services.api.proxies.check_proxy import check_proxy
from services.api.proxies.contract import Proxy, ProxyChange
from services.api.proxies.create_proxy import name_taken, seal_credentials
from shared.database import Connection
from shared.security import TokenCipher


async def change_proxy(
    tx: Connection, current: Proxy, change: ProxyChange, *, user_id: UUID, cipher: TokenCipher, graph_url: str
) -> None:
    """Make a locked proxy what is wished; what the wish leaves out stays.

    One that leads elsewhere, or is spoken to with other credentials, is unknown until it is looked at again.

    Raises:
        ProblemError: a value is out of bounds, or the name is taken (`name_taken`).
    """
    wanted = check_proxy(
        name=current.name if change.name is UNSET else change.name,
        scheme=current.scheme if change.scheme is UNSET else change.scheme,
        host=current.host if change.host is UNSET else change.host,
        port=current.port if change.port is UNSET else change.port,
        graph_url=graph_url,
    )
    if wanted.name != current.name and not await store.rename(tx, current.id, wanted.name, user_id=user_id):
        raise await name_taken(tx, wanted.name, user_id=user_id)
    if change.credentials is not UNSET:
        sealed = seal_credentials(change.credentials, current.id, user_id=user_id, cipher=cipher)
        await store.seal(tx, current.id, sealed, user_id=user_id)
    stood = (current.scheme, current.host, current.port)
    if change.credentials is not UNSET or (wanted.scheme, wanted.host, wanted.port) != stood:
        await store.redirect(tx, current.id, wanted, user_id=user_id)
