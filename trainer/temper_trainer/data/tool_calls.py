"""What an answer contains besides its text: reasoning, and calls of tools in the forms models write them in."""

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from .exact_json import parse_json, same_json

THINKING = (("<think>", "</think>"), ("[THINK]", "[/THINK]"), ("<thinking>", "</thinking>"))
"""What opens and closes the reasoning before an answer."""

HERMES = re.compile(r"<tool_call>(.*?)</tool_call>", re.DOTALL)
MISTRAL = re.compile(r"\s*([^\s\[{]+)(?:\[CALL_ID\][^\[{]*)?(?:\[ARGS\])?\s*(\{.*)", re.DOTALL)
BEGUN = re.compile(r"\[?\s*\{\s*\"name\"\s*:")
"""How a call in bare JSON begins, whether or not it can be read."""


@dataclass(frozen=True)
class Call:
    name: str
    arguments: Any
    """As `parse_json` reads them."""


Calls = list[Call] | None
"""The calls of an answer, none for a plain one; None where a call was begun and cannot be read."""


def without_reasoning(text: str) -> str:
    """The answer alone. Reasoning that the prompt opened has no opening of its own; where it never ends, there is no
    answer."""
    for opening, closing in THINKING:
        thought, closed, rest = text.partition(closing)
        if closed and (opening not in thought or thought.lstrip().startswith(opening)):
            return rest.lstrip()
        if not closed and text.lstrip().startswith(opening):
            return ""
    return text


def hermes(text: str) -> Calls:
    """`<tool_call>{"name": …, "arguments": …}</tool_call>`, once for each call."""
    found = HERMES.findall(text)
    return _read(found) if len(found) == text.count("<tool_call>") else None


def mistral(text: str) -> Calls:
    """`[TOOL_CALLS][{"name": …, "arguments": …}]`, or `[TOOL_CALLS]name[ARGS]{…}` for each call."""
    _, *parts = text.split("[TOOL_CALLS]")
    calls: list[Call] = []
    for part in parts:
        named = MISTRAL.fullmatch(part)
        read = _named(named[1], named[2]) if named else _calls(part)
        if not read:
            return None
        calls += read
    return calls


def llama3(text: str) -> Calls:
    """`{"name": …, "parameters": …}` and nothing else, perhaps behind `<|python_tag|>`."""
    marked = text.strip().startswith("<|python_tag|>")
    calls = bare_json(text.strip().removeprefix("<|python_tag|>"))
    return calls or None if marked else calls


def bare_json(text: str) -> Calls:
    """A call, or a list of calls, as JSON and nothing else."""
    try:
        value = parse_json(text)
    except ValueError:
        return None if BEGUN.match(text.strip()) else []
    items = value if isinstance(value, list) else [value]
    return _calls(text) if any(map(_given, items)) else []


FORMS: dict[str, Callable[[str], Calls]] = {
    "hermes": hermes,
    "mistral": mistral,
    "llama3": llama3,
    "json": bare_json,
}


def form_of(answers: Iterable[tuple[str, list[Call]]]) -> str | None:
    """The first form in which every text says exactly the calls it was made from; None where there is none."""
    answers = list(answers)
    fits = (
        name
        for name, read in FORMS.items()
        if all(same_calls(read(without_reasoning(text)), calls) for text, calls in answers)
    )
    return next(fits, None)


def message_calls(message: dict[str, Any]) -> list[Call]:
    """The calls of a message in OpenAI's form."""
    functions = [call["function"] for call in message.get("tool_calls") or []]
    texts = [(call["name"], call.get("arguments") or "{}") for call in functions]
    return [Call(name, parse_json(text if isinstance(text, str) else json.dumps(text))) for name, text in texts]


def same_calls(some: Calls, others: Calls) -> bool:
    """The same tools with JSON-equal arguments, in any order."""
    if some is None or others is None or len(some) != len(others):
        return False
    left = list(others)
    for call in some:
        match = next((i for i, other in enumerate(left) if _same(call, other)), None)
        if match is None:
            return False
        left.pop(match)
    return True


def _same(a: Call, b: Call) -> bool:
    return a.name == b.name and same_json(a.arguments, b.arguments)


def _read(texts: Iterable[str]) -> Calls:
    calls: list[Call] = []
    for text in texts:
        read = _calls(text)
        if not read:
            return None
        calls += read
    return calls


def _named(name: str, arguments: str) -> Calls:
    try:
        return [Call(name, parse_json(arguments))]
    except ValueError:
        return None


def _calls(text: str) -> Calls:
    """What JSON says to call; None where it is no JSON or holds something else."""
    try:
        value = parse_json(text)
        return [_call(item) for item in (value if isinstance(value, list) else [value])]
    except ValueError:
        return None


def _call(value: Any) -> Call:
    given = _given(value)
    if not given:
        raise ValueError("no call")
    arguments = given[0]
    if isinstance(arguments, str):  # JSON text, as in OpenAI's protocol
        arguments = parse_json(arguments) if arguments.strip() else {}
    return Call(value["name"], arguments)


def _given(value: Any) -> list[Any]:
    """The arguments of what looks like a call."""
    if not isinstance(value, dict) or not isinstance(value.get("name"), str):
        return []
    return [value[key] for key in ("arguments", "parameters") if key in value]
