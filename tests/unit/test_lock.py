from __future__ import annotations

import re
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

CHECKOUT = Path(__file__).parents[2]
LOCK = (CHECKOUT / "requirements.lock").read_text(encoding="utf-8")
# One logical line each: a requirement and, after continued line ends, its hashes.
ENTRIES = LOCK.replace("\\\n", " ").splitlines()


def test_every_requirement_is_pinned_and_hashed():
    """Each entry names one exact version and at least one SHA-256, and nothing but requirements stands in the lock."""
    entry = re.compile(r"[a-z0-9-]+==[A-Za-z0-9.+!]+( ; [^;]+?)?( +--hash=sha256:[0-9a-f]{64})+")

    assert [line[:80] for line in ENTRIES if not entry.fullmatch(line.strip())] == []
    assert len(ENTRIES) > 1


def test_no_package_is_locked_twice():
    """A name stands once, or its markers part the versions."""
    heads = [line.split("--hash", 1)[0].strip() for line in ENTRIES]
    names = [head.split("==")[0] for head in heads if ";" not in head]

    assert sorted(names) == sorted(set(names))


def test_the_lock_names_no_place():
    """Whoever installs from the lock chooses the index: it holds no option, URL, host or path of a machine."""
    assert re.findall(r"://|--(?:index|extra-index|find-links|trusted-host)\S*|\bfile:|@ |(?:^|\s)[./~]\S*", LOCK) == []


def test_the_lock_covers_what_the_project_asks_for():
    """Every dependency of pyproject.toml, those of development included, is locked in a version that it accepts."""
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [Requirement(text) for text in project["dependencies"] + project["optional-dependencies"]["dev"]]
    locked = dict(line.split(maxsplit=1)[0].split("==") for line in ENTRIES)

    unmet = [str(item) for item in wanted if not item.specifier.contains(locked.get(canonicalize_name(item.name), "0"))]

    assert unmet == []
