"""Conversations as the texts a model reads and writes, by the base's own chat template or by a linear one."""

import json
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from ..errors import TrainerError
from .examples import Message, Row
from .jinja import SWITCHES, USE_ANOTHER, Jinja, Refusal, Request

TAIL = 8
"""Characters at the end of a prompt by which it is looked for."""
AROUND = 80
"""Characters shown on each side of a difference."""


@dataclass(frozen=True)
class Answer:
    """One trained turn, exactly as it is generated."""

    prompt: str
    """All that the model is given."""
    text: str
    """What it has to write."""
    end: str
    """The token that ends it."""

    @property
    def whole(self) -> str:
        return self.prompt + self.text + self.end


class Chat(Protocol):
    def answers(self, rows: list[Row], learnt: list[list[int]]) -> list[list[Answer]]:
        """The turns of each row whose numbers are in `learnt`."""

    def prompt(self, row: Row, reasons: bool) -> str:
        """What is given to the model behind all messages of the row. `reasons`: its answer begins with reasoning."""


class JinjaChat:
    """By a chat template in Jinja."""

    def __init__(self, jinja: Jinja, special: Iterable[str], ends: Collection[str], added: Iterable[str] = ()):
        """`special` are the vocabulary's special tokens, `ends` those that end an answer for the base, `added` other
        tokens that are always cut as one, such as SentencePiece's user-defined symbols."""
        self.jinja = jinja
        self.special = sorted(special, key=len, reverse=True)
        self.added = sorted(added, key=len, reverse=True)
        self.ends = ends
        self.left_out: dict[str, dict[str, Any]] = {}
        """What the template leaves out of prompts, as it does when served: how often, and the first row."""

    def answers(self, rows: list[Row], learnt: list[list[int]]) -> list[list[Answer]]:
        places = [(row, turn) for row, turns in zip(rows, learnt, strict=True) for turn in turns]
        requests = [request for row, turn in places for request in self._requests(row, turn)]
        texts = iter(self.jinja.render(requests, [row.origin for row, _ in places for _ in range(2)]))
        answers = iter([self._answer(row, turn, next(texts), next(texts)) for row, turn in places])
        return [[next(answers) for _ in turns] for turns in learnt]

    def prompt(self, row: Row, reasons: bool) -> str:
        text = self.jinja.render([self._request(row, len(row.messages), True, reasons)], [row.origin])[0]
        return text if isinstance(text, str) else _refuse(row, text)

    def _requests(self, row: Row, turn: int) -> list[Request]:
        self._check_known(row)
        reasons = bool(row.messages[turn].get("reasoning_content"))
        return [self._request(row, turn, True, reasons), self._request(row, turn + 1, False, reasons)]

    def _request(self, row: Row, count: int, prompt: bool, reasons: bool) -> Request:
        switches = {name: reasons for name in SWITCHES if name in self.jinja.reads}
        messages = [{k: v for k, v in message.items() if k != "weight"} for message in row.messages[:count]]
        return Request(messages, row.tools, prompt, switches | row.variables)

    def _check_known(self, row: Row) -> None:
        if row.tools and "tools" not in self.jinja.reads:
            raise _unplaced(row, "tools")
        unknown = next((name for name in row.variables if name not in self.jinja.reads), None)
        if unknown is not None:
            raise _unplaced(row, f'chat_template_kwargs "{unknown}"')

    def _answer(self, row: Row, turn: int, prompt: str | Refusal, full: str | Refusal) -> Answer:
        if isinstance(prompt, Refusal) or isinstance(full, Refusal):
            _refuse(row, prompt if isinstance(prompt, Refusal) else full)
        asked = row.messages[turn - 1]["content"] if turn else ""
        start = len(prompt) if full.startswith(prompt) else beginning(prompt, full, asked)
        if start is None:
            raise _other_beginning(row, prompt, full)
        answer = Answer(prompt, *self._split_end(row, full[start:]))
        missing = next((name for name, text in written(row.messages[turn]) if not holds(answer.text, text)), None)
        if missing is not None:
            raise _unplaced(row, f"messages[{turn}].{missing}")
        self._note_left_out(row, turn, prompt)
        return answer

    def _note_left_out(self, row: Row, turn: int, prompt: str) -> None:
        """Counts a row once for each kind of turn: for its last answer, which has all turns before it."""
        if turn != row.learnt()[-1]:
            return
        bare = "".join(prompt.split())
        texts = [(message["role"], message["content"]) for message in row.messages[:turn]]
        texts += [("tools", tool.get("function", tool).get("name", "")) for tool in row.tools or []]
        gone = {kind for kind, text in texts if kind != "assistant" and not holds(bare, "".join(text.split()))}
        for kind in sorted(gone):
            self.left_out.setdefault(kind, {"rows": 0, "first": row.origin})["rows"] += 1

    def _split_end(self, row: Row, rest: str) -> tuple[str, str]:
        """The answer without its end token, and that token: of those that close the text, the first that ends an
        answer for the base, otherwise the last."""
        run = closing(rest, self.special) or closing(rest, self.added)[-1:]
        if not run:
            shown = rest if len(rest) <= AROUND else f"…{rest[-AROUND:]}"
            message = (
                f'Cannot use row "{row.origin}": its answer does not end with a special token of the base: {shown!r}'
            )
            raise TrainerError("bad_template", message, USE_ANOTHER, rows=[row.origin])
        at, token = next((item for item in run if item[1] in self.ends), run[-1])
        if token in rest[:at]:
            reason = f'its answer contains "{token}", which would teach the model to stop there'
            raise TrainerError("bad_data", f'Cannot use row "{row.origin}": {reason}', rows=[row.origin])
        return rest[:at], token


def closing(text: str, tokens: Sequence[str]) -> list[tuple[int, str]]:
    """The tokens that a text ends with, white space aside, and where each begins."""
    run: list[tuple[int, str]] = []
    before = text.rstrip()
    while token := next((token for token in tokens if before.endswith(token)), None):
        run.insert(0, (len(before) - len(token), token))
        before = before[: -len(token)].rstrip()
    return run


def beginning(prompt: str, full: str, asked: str) -> int | None:
    """Where the answer begins in a text whose earlier turns are not written as in the prompt: templates that put the
    system prompt into the last turn do that. Behind the longest end of the prompt, which must reach back to what was
    asked: otherwise the answer itself would begin in another way."""
    tail, best, longest = prompt[-TAIL:], None, 0
    end = full.rfind(tail)
    while end >= 0:
        shared = common_end(prompt, full[: end + len(tail)])
        if shared > longest:
            best, longest = end + len(tail), shared
        end = full.rfind(tail, 0, end + len(tail) - 1)
    return best if longest and asked.strip() and holds(prompt[-longest:], asked) else None


def common_end(one: str, other: str) -> int:
    """How many characters two texts have in common at their ends."""
    most = min(len(one), len(other))
    return next((n for n in range(most) if one[-1 - n] != other[-1 - n]), most)


def written(message: Message) -> list[tuple[str, str]]:
    """Fields of an answer, and texts that have to be in what is trained."""
    calls = [("tool_calls", call["function"]["name"]) for call in message.get("tool_calls", [])]
    fields = [(name, message[name]) for name in ("reasoning_content", "content") if message.get(name)]
    return [*fields, *calls]


def holds(text: str, wanted: str) -> bool:
    """As it is or as JSON, without the white space at its ends."""
    wanted = wanted.strip()
    return wanted in text or json.dumps(wanted, ensure_ascii=False)[1:-1] in text or json.dumps(wanted)[1:-1] in text


def chains(answers: list[Answer]) -> list[list[Answer]]:
    """A row's answers, together as long as each prompt goes on from the answer before. Where the template writes
    earlier turns anew, a chain ends, and the next begins with all that the model sees then."""
    result: list[list[Answer]] = []
    for answer in answers:
        if result and answer.prompt.startswith(result[-1][-1].whole):
            result[-1].append(answer)
        else:
            result.append([answer])
    return result


def difference(ours: str, theirs: str) -> tuple[str, str] | None:
    """What is around the first character in which two texts differ."""
    if ours == theirs:
        return None
    at = next((i for i, (a, b) in enumerate(zip(ours, theirs, strict=False)) if a != b), min(len(ours), len(theirs)))
    return excerpt(ours, at), excerpt(theirs, at)


def excerpt(text: str, at: int) -> str:
    start, end = max(0, at - AROUND), at + AROUND
    return ("…" if start else "") + text[start:end] + ("…" if end < len(text) else "")


class ControlTokens:
    """The special tokens of a vocabulary. A server that finds the text of one anywhere reads the token itself."""

    def __init__(self, texts: Iterable[str]):
        ordered = sorted(texts, key=len, reverse=True)
        self.pattern = re.compile("|".join(map(re.escape, ordered))) if ordered else None

    def inside(self, text: str) -> list[str]:
        return self.pattern.findall(text) if self.pattern else []

    def refuse(self, row: Row) -> None:
        if self.pattern is None:
            return
        for place, text in texts_of(
            {"messages": row.messages, "tools": row.tools, "chat_template_kwargs": row.variables}
        ):
            if found := self.pattern.search(text):
                message = f'Cannot use row "{row.origin}": {place} contains "{found[0]}", a control token of the base'
                hint = "Remove or rewrite it: the model would read it as the token itself"
                raise TrainerError("bad_data", message, hint, rows=[row.origin])


def texts_of(value: Any, place: str = "") -> Iterable[tuple[str, str]]:
    """Every text in plain data, names of fields included, and where it is."""
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from texts_of(item, f"{place}[{index}]")
    elif isinstance(value, dict):
        for key, item in value.items():
            inside = f"{place}.{key}" if place else key
            yield inside, key
            yield from texts_of(item, inside)


def _refuse(row: Row, refusal: Refusal) -> Any:
    message = f'Cannot use row "{row.origin}": the chat template refuses it: "{refusal.reason}"'
    hint = "Change its turns, for example move a system prompt into the first user turn, or set provider.template"
    raise TrainerError("bad_data", message, hint, rows=[row.origin])


def _unplaced(row: Row, what: str) -> TrainerError:
    message = f'Cannot use row "{row.origin}": the chat template leaves out {what}'
    hint = (
        "Set provider.template to a .jinja file that writes it, such as temper's "
        "pipelines/templates/chatml-tools.jinja, or remove it from the data"
    )
    return TrainerError("bad_data", message, hint, rows=[row.origin])


def _other_beginning(row: Row, prompt: str, full: str) -> TrainerError:
    generated, finished = difference(prompt, full)
    reason = "the chat template begins the answer in another way than it writes it"
    message = f'Cannot use row "{row.origin}": {reason}: {generated!r} before generation, {finished!r} when finished'
    hint = "Set provider.template to a .jinja file whose generation prompt is how a finished answer begins"
    return TrainerError("bad_template", message, hint, rows=[row.origin])
