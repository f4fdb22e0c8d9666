"""Making a proxy."""

from __future__ import annotations

from uuid import UUID

from uuid_utils.compat import uuid7

from services.api.http import ProblemError
from services.api.proxies import store
from services.api.proxies.check_proxy import check_credentials, check_proxy
from services.api.proxies.contract import Credentials, NewProxy
from shared.accounts import CREDENTIALS_COLUMN
from shared.database import Connection
from shared.security import SealedToken, TokenCipher


async def create_proxy(tx: Connection, new: NewProxy, *, user_id: UUID, cipher: TokenCipher, graph_url: str) -> UUID:
    """Make a proxy; the health service looks at it within seconds.

    Raises:
        ProblemError: a value is out of bounds, or the name is taken (`name_taken`).
    """
    wanted = check_proxy(name=new.name, scheme=new.scheme, host=new.host, port=new.port, graph_url=graph_url)
    proxy_id = uuid7()
    sealed = seal_credentials(new.credentials, proxy_id, user_id=user_id, cipher=cipher)
    if not await store.insert(tx, proxy_id, wanted, sealed, user_id=user_id):
        raise await name_taken(tx, wanted.name, user_id=user_id)
    return proxy_id


def seal_credentials(
    credentials: Credentials | None, proxy_id: UUID, *, user_id: UUID, cipher: TokenCipher
) -> SealedToken | None:
    """Credentials as they are kept.

    Raises:
        ProblemError: they cannot be sent to a proxy.
    """
    if credentials is None:
        return None
    text = check_credentials(credentials)
    return cipher.encrypt(text, user_id=user_id, row_id=proxy_id, column=CREDENTIALS_COLUMN)


async def name_taken(connection: Connection, name: str, *, user_id: UUID) -> ProblemError:
    """The problem of a name that another proxy has."""
    existing_id = await store.find_by_name(connection, name, user_id=user_id)
    return ProblemError("name_taken", f"There is a proxy {name!r} already.", existing_id=existing_id)
