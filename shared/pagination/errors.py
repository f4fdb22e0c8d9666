"""What a client can get wrong about pages. The gateway answers 400 with `code`."""

from __future__ import annotations

from shared.errors import InstaDistroError


class PaginationError(InstaDistroError):
    """A page was asked for in a way that cannot be read. Tell the client; `code` is stable."""

    def __init__(self, message: str, *, code: str) -> None:
        self.code = code
        super().__init__(message)


class InvalidCursorError(PaginationError):
    """A cursor was not made here, not for this list, or was changed. The client begins again without one."""

    def __init__(self) -> None:
        super().__init__(
            "The cursor does not belong to this list. Begin again without a cursor, "
            "and send back cursors unchanged, with the filters they came with.",
            code="invalid_cursor",
        )
