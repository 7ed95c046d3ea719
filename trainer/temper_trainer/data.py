"""The examples: one conversation a line."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from .errors import TrainerError
from .job import ROLES

Message = dict[str, str]


@dataclass(frozen=True)
class Row:
    origin: str
    """Names the source row in errors."""
    messages: list[Message]


def read_rows(path: Path) -> Iterator[Row]:
    """The conversations of a file, one at a time."""
    try:
        file = open(path, encoding="utf-8")  # noqa: SIM115 (closed below; a missing file is told apart here)
    except OSError as error:
        raise TrainerError("bad_data", f'Cannot read "{path}": {error.strerror}') from None
    with file:
        try:
            for number, line in enumerate(file, 1):
                yield read_row(line, path, number)
        except UnicodeDecodeError:
            raise TrainerError("bad_data", f'Cannot read "{path}": it is not UTF-8') from None


def read_row(line: str, path: Path, number: int) -> Row:
    at = f"{path.name}:{number}"
    try:
        value = json.loads(line)
        row = Row(value["origin"], value["messages"])
        messages = [(message["role"], message["content"]) for message in row.messages]
    except json.JSONDecodeError as error:
        raise TrainerError("bad_data", f'Cannot read "{at}": not JSON: {error.msg}') from None
    except (KeyError, TypeError):
        raise TrainerError("bad_data", f'Cannot read "{at}": it is not an object of origin and messages') from None
    if not isinstance(row.origin, str):
        raise TrainerError("bad_data", f'Cannot read "{at}": origin must be a text')
    for role, content in messages:
        if role not in ROLES or not isinstance(content, str):
            reason = f"a message must have a role of {', '.join(ROLES)} and a text as content"
            raise TrainerError("bad_data", f'Cannot read "{at}": {reason}', rows=[row.origin])
    if not messages or messages[-1][0] != "assistant":
        reason = "the last message must be the assistant's"
        raise TrainerError("bad_data", f'Cannot read "{at}": {reason}', rows=[row.origin])
    return row


def read_some(path: Path, wanted: set[int]) -> dict[int, Row]:
    """Rows by number, counted from 0."""
    last = max(wanted, default=-1)
    return {i: row for i, row in enumerate(islice(read_rows(path), last + 1)) if i in wanted}
