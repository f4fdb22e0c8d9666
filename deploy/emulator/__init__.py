"""A stand-in for Meta's Graph API, for development, demos and tests; never for production."""

from __future__ import annotations

from deploy.emulator.accounts_file import AccountsFileError, load_accounts
from deploy.emulator.app import create_app
from deploy.emulator.clock import Clock
from deploy.emulator.options import Options
from deploy.emulator.server import EmulatorStartError, run_emulator
from deploy.emulator.state import Account

__all__ = [
    "Account",
    "AccountsFileError",
    "Clock",
    "EmulatorStartError",
    "Options",
    "create_app",
    "load_accounts",
    "run_emulator",
]
