"""An account as the platform's client needs it: its token, and the way out that its calls must take."""

from __future__ import annotations

from uuid import UUID

from shared.database import Row
from shared.instagram import Egress, GraphAccount
from shared.security import SealedToken, TokenCipher

#: As `TokenCipher` binds them.
TOKEN_COLUMN = "access_token"  # noqa: S105 - the name of a column, not a token
CREDENTIALS_COLUMN = "proxy_credentials"

#: What a statement selects, and what it joins to `accounts`, so that `open_account` can be given its row.
ACCOUNT_COLUMNS = """
    accounts.instagram_user_id, account_tokens.key_id, account_tokens.sealed, proxies.id AS proxy_id,
    proxies.scheme AS proxy_scheme, proxies.host AS proxy_host, proxies.port AS proxy_port,
    proxies.key_id AS proxy_key_id, proxies.sealed AS proxy_sealed
"""
ACCOUNT_JOINS = """
    JOIN account_tokens ON account_tokens.user_id = accounts.user_id AND account_tokens.account_id = accounts.id
    LEFT JOIN proxies ON proxies.user_id = accounts.user_id AND proxies.id = accounts.proxy_id
"""


def open_account(row: Row, cipher: TokenCipher, *, user_id: UUID, account_id: UUID) -> GraphAccount:
    """The account with its token and its proxy in the clear, for calls made at once.

    Raises:
        TokenUnreadableError: the key ring does not open the token, or the proxy's credentials. Make no call.
    """
    sealed = SealedToken(key_id=row["key_id"], ciphertext=row["sealed"])
    return GraphAccount(
        ig_user_id=row["instagram_user_id"],
        access_token=cipher.decrypt(sealed, user_id=user_id, row_id=account_id, column=TOKEN_COLUMN),
        proxy=None if row["proxy_id"] is None else open_egress(row, cipher, user_id=user_id),
    )


def open_egress(row: Row, cipher: TokenCipher, *, user_id: UUID) -> Egress:
    """A proxy with its credentials in the clear, from the columns that `ACCOUNT_COLUMNS` names.

    Raises:
        TokenUnreadableError: the key ring does not open the credentials.
    """
    username, password = _credentials(row, cipher, user_id)
    return Egress(
        scheme=row["proxy_scheme"],
        host=row["proxy_host"],
        port=row["proxy_port"],
        username=username,
        password=password,
    )


def _credentials(row: Row, cipher: TokenCipher, user_id: UUID) -> tuple[str | None, str | None]:
    if row["proxy_sealed"] is None:
        return None, None
    sealed = SealedToken(key_id=row["proxy_key_id"], ciphertext=row["proxy_sealed"])
    text = cipher.decrypt(sealed, user_id=user_id, row_id=row["proxy_id"], column=CREDENTIALS_COLUMN)
    username, _, password = text.partition(":")
    return username, password
