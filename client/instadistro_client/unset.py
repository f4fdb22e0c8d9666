"""Telling apart what is left as it is from what is cleared."""

from __future__ import annotations

from typing import Any, Final

import msgspec

#: The default of what a change leaves as it is; None clears, where something can be cleared.
UNSET: Final = msgspec.UNSET
UnsetType = msgspec.UnsetType


def given(**fields: Any) -> dict[str, Any]:
    """The fields that were given; None counts as given."""
    return {name: value for name, value in fields.items() if value is not UNSET}


def stated(**fields: Any) -> dict[str, Any]:
    """The fields that are not None: for what is made, None stands for the gateway's own choice."""
    return {name: value for name, value in fields.items() if value is not None}
