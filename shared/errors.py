"""The one family of errors that this system raises on purpose."""

from __future__ import annotations


class InstaDistroError(Exception):
    """Base of every error the system raises on purpose; its text is fit for an operator."""


class SettingsError(InstaDistroError):
    """The settings cannot be used. Lists every fault at once; fix them all and start again."""

    def __init__(self, faults: list[str]) -> None:
        self.faults = faults
        lines = "\n".join(f"  - {fault}" for fault in faults)
        super().__init__(f"{len(faults)} setting(s) cannot be used:\n{lines}\nSee docs/configuration.md.")


class NotReadyError(InstaDistroError):
    """A server this process needs did not answer in time. Start it, or try again later."""
