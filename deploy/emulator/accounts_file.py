"""Accounts from a CSV file: the same ids and tokens after every restart."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path

from deploy.emulator.state import ACCOUNTS_MAX, Account
from shared.errors import InstaDistroError

COLUMNS = ("username", "instagram_user_id", "access_token", "token_expires_at", "tags")

_RULES = {
    "username": (re.compile(r"[A-Za-z0-9._]{1,30}"), "must be 1 to 30 letters, digits, dots or underscores"),
    "instagram_user_id": (re.compile(r"[1-9][0-9]{0,24}"), "must be a number of at most 25 digits"),
    "access_token": (re.compile(r"[!-~]{1,512}"), "must be 1 to 512 printable characters without spaces"),
    "token_expires_at": (
        re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)"),
        "must be a time with offset, like 2035-01-31T09:30:00+00:00",
    ),
}
_UNIQUE = ("username", "instagram_user_id", "access_token")


class AccountsFileError(InstaDistroError):
    """The accounts file cannot be used. Lists every fault at once; fix them all and start again."""

    def __init__(self, path: Path, faults: list[str]) -> None:
        self.faults = faults
        lines = "\n".join(f"  - {fault}" for fault in faults)
        super().__init__(f"{path}: {len(faults)} fault(s) in the accounts file:\n{lines}")


def load_accounts(path: Path) -> list[Account]:
    """Read the accounts of a file with the header `username,instagram_user_id,access_token,token_expires_at,tags`.

    Raises:
        AccountsFileError: the file or some of its rows cannot be used; the message lists all of them.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(_rows(file))
    except OSError as error:
        raise AccountsFileError(path, [f"it cannot be read: {error.strerror}"]) from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise AccountsFileError(path, [f"it is not CSV in UTF-8: {error}"]) from error
    except ValueError as error:
        raise AccountsFileError(path, [str(error)]) from error
    faults = [fault for line, row in rows for fault in _faults_of(line, row)] + list(_repeats(rows))
    if faults:
        raise AccountsFileError(path, faults)
    return [_account(row) for _, row in rows]


def _rows(file: Iterable[str]) -> Iterator[tuple[int, dict[str, str]]]:
    reader = csv.reader(file, strict=True)
    header = [name.strip() for name in next(reader, [])]
    if tuple(header) != COLUMNS:
        raise ValueError(f"line 1: the header must be {','.join(COLUMNS)}")
    count = 0
    for cells in reader:
        if not cells:
            continue
        count += 1
        if count > ACCOUNTS_MAX:
            raise ValueError(f"it has more than {ACCOUNTS_MAX} accounts")
        # Cells beyond the last column are kept under a name of their own, so that the row is refused.
        yield reader.line_num, dict(zip((*COLUMNS, "beyond"), (cell.strip() for cell in cells), strict=False))


def _faults_of(line: int, row: dict[str, str]) -> Iterator[str]:
    if len(row) != len(COLUMNS):
        yield f"line {line}: has not {len(COLUMNS)} columns"
        return
    for column, (pattern, rule) in _RULES.items():
        if not pattern.fullmatch(row[column]) or (column == "token_expires_at" and not _is_time(row[column])):
            yield f"line {line}: {column} {rule}"


def _is_time(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _repeats(rows: list[tuple[int, dict[str, str]]]) -> Iterator[str]:
    for column in _UNIQUE:
        first_line: dict[str, int] = {}
        for line, row in rows:
            value = row.get(column)
            if value and first_line.setdefault(value, line) != line:
                yield f"line {line}: {column} is the same as in line {first_line[value]}"


def _account(row: dict[str, str]) -> Account:
    return Account(
        ig_user_id=row["instagram_user_id"],
        username=row["username"],
        access_token=row["access_token"],
        token_expires_at=datetime.fromisoformat(row["token_expires_at"]),
    )
