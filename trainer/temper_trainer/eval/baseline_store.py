"""Scores of untrained bases, kept for whoever would compute the same. An entry is whole, or it counts as missing."""

import fcntl
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..files import read_json, write_json
from ..job.job import digest
from .evaluate import Scores

FOLDER = "baselines"
VERSION = 1


@dataclass(frozen=True)
class Kept:
    """Scores of an earlier training."""

    scores: Scores
    job: str
    """The job folder that they were computed in."""
    seconds: float
    """How long that took."""


@dataclass(frozen=True)
class BaselineStore:
    """One file for each key, below the caches. New ones go into the first of these."""

    caches: Sequence[Path]
    warn: Callable[[str], None]

    def find(self, parts: dict[str, Any]) -> Kept | None:
        """The scores that were computed from exactly these parts."""
        for cache in self.caches:
            path = entry_path(cache, parts)
            try:
                entry = read_json(path)
                if entry is not None:
                    return opened(entry, parts)
            except (OSError, ValueError, KeyError, TypeError) as error:
                self.warn(f'Cannot use the scores kept in "{path}": {error}. The base is scored again')
        return None

    def keep(self, parts: dict[str, Any], kept: Kept) -> None:
        """A store that cannot be written costs the next training time, and this one nothing."""
        if not self.caches:
            return
        path = entry_path(self.caches[0], parts)
        try:
            with locked(path.parent):
                write_json(path, sealed(parts, kept))
        except OSError as error:
            self.warn(f'Cannot keep the scores of the base in "{path}": {error}')


def entry_path(cache: Path, parts: dict[str, Any]) -> Path:
    return cache / FOLDER / f"{digest(parts)}.json"


def sealed(parts: dict[str, Any], kept: Kept) -> dict[str, Any]:
    """An entry with a digest over the rest of it."""
    entry = {
        "version": VERSION,
        "parts": parts,
        "job": kept.job,
        "seconds": kept.seconds,
        "scores": kept.scores.as_json(),
    }
    return entry | {"sha256": digest(entry)}


def opened(entry: Any, parts: dict[str, Any]) -> Kept:
    """Raises ValueError, KeyError or TypeError for what is not a whole entry of these parts."""
    if not isinstance(entry, dict) or entry.get("version") != VERSION:
        raise ValueError("it is not an entry of this version")
    rest = {name: value for name, value in entry.items() if name != "sha256"}
    if entry.get("sha256") != digest(rest):
        raise ValueError("it was changed after it was written")
    if entry["parts"] != parts:
        raise ValueError("it belongs to another key")
    return Kept(Scores(**entry["scores"]), entry["job"], entry["seconds"])


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Only one process writes at a time: two that score the same base write the same file. Readers need no lock."""
    folder.mkdir(parents=True, exist_ok=True)
    handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
