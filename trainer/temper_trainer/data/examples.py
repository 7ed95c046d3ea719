"""The examples: one conversation a line."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from ..errors import TrainerError

Message = dict[str, Any]
ROLES = ("system", "user", "assistant", "tool")


@dataclass(frozen=True)
class Row:
    origin: str
    """Names the source row in errors."""
    messages: list[Message]
    tools: list[dict[str, Any]] | None = None
    """Functions that the assistant may call, in OpenAI's form."""
    variables: dict[str, Any] = field(default_factory=dict)
    """What the row gives to a chat template by name."""

    def learnt(self) -> list[int]:
        """Numbers of the turns that are learnt: the assistant's, unless their weight is 0."""
        return [
            i for i, message in enumerate(self.messages) if message["role"] == "assistant" and message.get("weight", 1)
        ]


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
        origin, messages = value["origin"], value["messages"]
        roles = [message["role"] for message in messages]
    except json.JSONDecodeError as error:
        raise TrainerError("bad_data", f'Cannot read "{at}": not JSON: {error.msg}') from None
    except (KeyError, TypeError):
        raise TrainerError("bad_data", f'Cannot read "{at}": it is not an object of origin and messages') from None
    if not isinstance(origin, str):
        raise TrainerError("bad_data", f'Cannot read "{at}": origin must be a text')
    problem = next(filter(None, map(fault, messages)), None)
    if problem is None and roles[-1:] != ["assistant"]:
        problem = "the last message must be the assistant's"
    tools, variables = value.get("tools"), value.get("chat_template_kwargs")
    if problem is None and not (tools is None or isinstance(tools, list)):
        problem = "tools must be a list"
    if problem is None and not (variables is None or isinstance(variables, dict)):
        problem = "chat_template_kwargs must be an object"
    if problem is not None:
        raise TrainerError("bad_data", f'Cannot read "{at}": {problem}', rows=[origin])
    return Row(origin, [read_message(message) for message in messages], tools or None, variables or {})


def fault(message: Message) -> str | None:
    """What is wrong with a message, if anything."""
    if message["role"] not in ROLES or not isinstance(message.get("content"), str):
        return f"a message must have a role of {', '.join(ROLES)} and a text as content"
    if message.get("weight", 1) not in (0, 1):
        return "weight must be 0 or 1"
    if not isinstance(message.get("reasoning_content") or "", str):
        return "reasoning_content must be a text"
    calls = message.get("tool_calls")
    if calls is None:
        return None
    try:
        known = all(isinstance(arguments_of(call), dict) for call in calls)
    except (KeyError, TypeError, ValueError):
        known = False
    return None if known else "each of tool_calls must have a function with a name and, as JSON text, its arguments"


def arguments_of(call: dict[str, Any]) -> Any:
    function = call["function"]
    if not isinstance(function["name"], str):
        raise TypeError("a name must be a text")
    return json.loads(function["arguments"]) if isinstance(function["arguments"], str) else function["arguments"]


def read_message(message: Message) -> Message:
    """A message as templates expect it: without what is null, and with arguments as objects."""
    result = {key: value for key, value in message.items() if value is not None}
    if not result.get("tool_calls", True):
        del result["tool_calls"]
    if "tool_calls" in result:
        result["tool_calls"] = [
            call | {"function": call["function"] | {"arguments": arguments_of(call)}} for call in result["tool_calls"]
        ]
    return result


def read_some(path: Path, wanted: set[int]) -> dict[int, Row]:
    """Rows by number, counted from 0."""
    last = max(wanted, default=-1)
    return {i: row for i, row in enumerate(islice(read_rows(path), last + 1)) if i in wanted}
