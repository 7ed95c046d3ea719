"""What a reader can follow while the trainer works: progress lines on stdout, events in metrics.jsonl."""

import json
import os
import select
import stat
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from ..errors import STOPPED

Progress = Callable[..., None]
"""Called as progress(phase, done, total)."""


def print_progress(phase: str, done: int | None = None, total: int | None = None) -> None:
    """One line of JSON on stdout."""
    print(json.dumps({"phase": phase, "done": done, "total": total}), flush=True)


def end_with_reader() -> None:
    """
    Ends this process as soon as nobody reads what it prints: whoever started it was killed, and its successor starts
    again. Without this it would go on until its next word, beside that one.
    """
    if stat.S_ISFIFO(mode := os.fstat(1).st_mode) or stat.S_ISSOCK(mode):
        threading.Thread(target=wait_for_hangup, daemon=True).start()


def wait_for_hangup() -> None:
    poll = select.poll()
    poll.register(1, 0)
    poll.poll()
    os._exit(STOPPED)


def say(sentence: str) -> None:
    """One line in the log."""
    print(sentence, file=sys.stderr, flush=True)


class Metrics:
    """Appends events to metrics.jsonl. A line counts once its newline is there."""

    def __init__(self, path: Path | None):
        """Without a path for a worker that writes nothing."""
        self.seconds: dict[str, float] = {}
        self.file = None
        if path is None:
            return
        last = cut_torn_line(path)
        self.attempt = last.get("attempt", 0) + 1
        self.file = open(path, "ab", buffering=0)  # noqa: SIM115 (open as long as the process lives)

    def write(self, kind: str, **fields) -> None:
        if self.file is None:
            return
        event = {"t": now(), "attempt": self.attempt, "type": kind, **fields}
        line = memoryview(f"{json.dumps(event, ensure_ascii=False, allow_nan=False)}\n".encode())
        while line:
            line = line[self.file.write(line) :]

    def warn(self, message: str) -> None:
        if self.file is None:
            return
        say(f"Warning: {message}")
        self.write("warning", message=message)

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Start and end of a phase, and its seconds."""
        self.write("phase", phase=name, state="start")
        start = time.monotonic()
        yield
        self.seconds[name] = time.monotonic() - start
        self.write("phase", phase=name, state="done", seconds=round(self.seconds[name], 3))


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def cut_torn_line(path: Path) -> dict:
    """Cuts what a kill left after the last newline, to which the next event would be glued. Returns the last event."""
    if not path.exists():
        return {}
    with open(path, "r+b") as file:
        size = file.seek(0, os.SEEK_END)
        tail_start = max(0, size - 65536)
        file.seek(tail_start)
        tail = file.read()
        end = tail.rfind(b"\n") + 1
        file.truncate(tail_start + end)
    lines = tail[:end].splitlines()
    return json.loads(lines[-1]) if lines else {}
