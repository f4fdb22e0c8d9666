"""One system's state directory: its parts, who owns them, and the lock that makes its supervisor the only one."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from deploy.local.account import Account, StateDirectoryError, check_enterable, server_account
from deploy.local.private_file import write_private
from deploy.local.state_directory import STATE_VARIABLE, state_directory
from shared.errors import InstaDistroError

SECRETS_FILE = "secrets.json"
SERVERS = ("postgres", "redis", "rabbitmq", "prometheus")
_MARKER = ".instadistro"  # says whose the directory is; the last thing a wipe removes
_OURS = (*SERVERS, "media", "logs", SECRETS_FILE, "run.json", "lock", _MARKER)


class InstanceBusyError(InstaDistroError):
    """Another supervisor holds this state directory. Stop it with `instadistro down`, or choose another directory."""


@dataclass(frozen=True, kw_only=True)
class Instance:
    """One system's state directory and the account its servers run as."""

    directory: Path  # absolute
    account: Account

    @property
    def media(self) -> Path:
        """Where uploaded media are kept."""
        return self.directory / "media"

    @property
    def logs(self) -> Path:
        """Where the servers' logs are kept."""
        return self.directory / "logs"

    @property
    def run_file(self) -> Path:
        """The record of what runs now."""
        return self.directory / "run.json"

    def create(self) -> None:
        """Make the directory and its fixed parts; harmless to repeat.

        Raises:
            StateDirectoryError: it cannot be made, belongs to somebody else, or the servers' account cannot enter it.
        """
        try:
            check_enterable(self.directory, self.account)
            # Root's servers run as another account, which must be able to pass through to its own directories.
            if not self.directory.exists():
                self.directory.mkdir(parents=True)
                self.directory.chmod(0o711 if self.account.switch else 0o700)  # whatever the umask
            self._claim()
            for own in (self.media, self.logs):
                own.mkdir(mode=0o700, exist_ok=True)
            check_enterable(self.directory, self.account)
        except OSError as error:
            raise StateDirectoryError(
                f"Cannot make the state directory {self.directory}: {error.strerror}. "
                f"Set {STATE_VARIABLE} to a directory of yours."
            ) from error

    @property
    def is_ours(self) -> bool:
        """Whether a system made this directory: its marker stands there."""
        return (self.directory / _MARKER).is_file()

    def _claim(self) -> None:
        """Mark the directory as a system's own. One that holds anything else is left alone: a wipe must not find it."""
        if self.is_ours:
            return
        if any(self.directory.iterdir()):
            raise StateDirectoryError(
                f"{self.directory} is not empty and was not made by instadistro; nothing was changed there. "
                f"Set {STATE_VARIABLE} to a directory that is empty or does not exist."
            )
        (self.directory / _MARKER).touch(mode=0o600)

    def server_directory(self, name: str) -> Path:
        """The private directory of the server `name`, made if need be and owned by the servers' account.

        Raises:
            StateDirectoryError: it belongs to another account.
        """
        directory = self.directory / name
        directory.mkdir(mode=0o700, exist_ok=True)
        if not any(directory.iterdir()):
            self.give(directory)
        owner = directory.stat().st_uid
        if owner != self.account.uid:
            raise StateDirectoryError(
                f"{directory} belongs to uid {owner}, but the servers run as {self.account.name} "
                f"(uid {self.account.uid}). Start as the user who made it, remove it with `instadistro down --wipe`, "
                f"or choose another {STATE_VARIABLE}."
            )
        return directory

    def give(self, path: Path) -> None:
        """Hand `path` to the servers' account."""
        if self.account.switch:
            os.chown(path, self.account.uid, self.account.gid, follow_symlinks=False)

    def write_private(self, path: Path, text: str, *, mode: int = 0o600) -> None:
        """Replace `path`, readable by the servers' account alone, in one step."""
        write_private(path, text, mode=mode, owner=self.account if self.account.switch else None)

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Be the only supervisor of this directory; the lock goes with the process, however it ends.

        Raises:
            InstanceBusyError: another process is.
            StateDirectoryError: the directory is not this user's.
        """
        try:
            descriptor = os.open(self.directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StateDirectoryError(
                f"Cannot use {self.directory}: {error.strerror}. Is it another user's?"
            ) from error
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise InstanceBusyError(
                    f"The system of {self.directory} already runs. See `instadistro status`."
                ) from error
            yield
        finally:
            os.close(descriptor)

    def wipe(self) -> None:
        """Remove everything a system keeps here and nothing else; call it under the lock.

        Raises:
            StateDirectoryError: no system made this directory; nothing was removed.
        """
        if not self.is_ours:
            raise StateDirectoryError(f"{self.directory} was not made by instadistro; nothing was removed.")
        for name in _OURS:
            path = self.directory / name
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
            for unfinished in self.directory.glob(f".{name}.*"):  # of a write that was cut short
                unfinished.unlink()
        with suppress(OSError):  # not empty: somebody keeps other things here
            self.directory.rmdir()


def open_instance(environ: Mapping[str, str]) -> Instance:
    """The instance of this user and environment; nothing is created yet."""
    return Instance(directory=state_directory(environ), account=server_account())
