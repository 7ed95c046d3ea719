"""Conversations as the text that a base's own chat template makes of them."""

import json
import select
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import TrainerError

WORKER = Path(__file__).with_name("jinja_worker.py")
MEMORY = 1 << 30
SECONDS = 3.0
"""Of processor time for one conversation, which takes a thousandth of it."""
WALL_SECONDS = 60.0
"""Where the processor is busy with other things."""
BATCH = 256
SWITCHES = ("enable_thinking", "thinking")
"""Names under which templates ask whether the answer begins with reasoning."""
USE_ANOTHER = "Set provider.template to a family such as chatml, or to a .jinja file of your own"


@dataclass(frozen=True)
class Request:
    messages: list[dict[str, Any]]
    tools: list[dict[str, Any]] | None
    prompt: bool
    """Whether the text ends where the assistant's next answer begins."""
    variables: dict[str, Any]


class Jinja:
    """A chat template that runs in a process of its own. `text` is what was given, with a fixed date."""

    def __init__(self, text: str, special: dict[str, str]):
        self._process = subprocess.Popen(
            [sys.executable, "-P", str(WORKER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
        )
        self._buffer = b""
        try:
            self._send({"template": text, "special": special, "memory": MEMORY, "seconds": SECONDS})
            found = self._receive()
            if "error" in found:
                raise _unusable(found["error"])
        except BaseException:
            self.close()
            raise
        self.text: str = found["template"]
        self.reads = frozenset(found["reads"])
        self.date: str | None = found["date"]

    def render(self, requests: Iterable[Request], origins: Iterable[str]) -> list["str | Refusal"]:
        """The text of each request, or what the template said against it. `origins` name the rows."""
        pairs = list(zip(requests, origins, strict=True))
        texts: list[str | Refusal] = []
        for start in range(0, len(pairs), BATCH):
            part = pairs[start : start + BATCH]
            self._send([vars(request) for request, _ in part])
            for _, origin in part:
                reply = self._receive(origin)
                texts.append(reply["text"] if "text" in reply else Refusal(reply["error"]))
        return texts

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            pipe.close()

    def _send(self, value: Any) -> None:
        line = memoryview(json.dumps(value).encode() + b"\n")
        try:
            while line:
                line = line[self._process.stdin.write(line) :]
        except BrokenPipeError:
            pass  # what ended the process is told by the answer that does not come

    def _receive(self, origin: str | None = None) -> dict[str, Any]:
        while b"\n" not in self._buffer:
            ready, _, _ = select.select([self._process.stdout], [], [], WALL_SECONDS)
            part = self._process.stdout.read(1 << 20) if ready else b""
            if not part:
                raise _unusable(self._end(), origin)
            self._buffer += part
        line, self._buffer = self._buffer.split(b"\n", 1)
        return json.loads(line)

    def _end(self) -> str:
        """Why there is no answer."""
        import signal

        try:
            code = self._process.wait(timeout=1)
        except subprocess.TimeoutExpired:
            return f"it does not finish within {WALL_SECONDS:g} seconds"
        if code == -signal.SIGPROF:
            return f"it does not finish within {SECONDS:g} seconds"
        return f"the process that runs it ended with {code}"


@dataclass(frozen=True)
class Refusal:
    reason: str


def _unusable(reason: str, origin: str | None = None) -> TrainerError:
    where = "" if origin is None else f' on row "{origin}"'
    rows = [] if origin is None else [origin]
    return TrainerError("bad_template", f"Cannot use the chat template{where}: {reason}", USE_ANOTHER, rows=rows)
