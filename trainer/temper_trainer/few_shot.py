"""The base with instructions and examples in the prompt: what prompting alone would reach."""

import hashlib
from heapq import nsmallest
from pathlib import Path

from .data import Message, Row, read_rows, read_some
from .errors import TrainerError
from .job import FewShot
from .template import Encoder


def few_shot_prompts(encoder: Encoder, few_shot: FewShot, train: Path, rows: list[Row], seed: int, room: int) -> list:
    """Tokens of each row's prompt: instructions, examples as finished turns, then the row up to its answer."""
    examples = choose_examples(train, few_shot.examples, seed)
    shown = [message for row in examples for message in without_system(row.messages)]
    opening = [{"role": "system", "content": few_shot.instructions}, *shown]
    prompts = [encoder.encode_prompt([*opening, *without_system(row.messages[:-1])]) for row in rows]
    too_long = [row.origin for row, prompt in zip(rows, prompts, strict=True) if len(prompt) >= room]
    if too_long:
        what = f"{len(too_long)} of {len(rows)} prompts with evaluate.few_shot fill the context of {room} tokens"
        raise TrainerError("too_long", f"Cannot evaluate the base: {what}", "Show fewer examples", rows=too_long[:20])
    return prompts


def choose_examples(train: Path, count: int, seed: int) -> list[Row]:
    """Rows in an order of their own: by hash of seed and number, so that it is the same everywhere."""
    total = sum(1 for _ in read_rows(train))
    chosen = nsmallest(count, range(total), key=lambda number: hashlib.sha256(f"{seed}:{number}".encode()).digest())
    rows = read_some(train, set(chosen))
    return [rows[number] for number in chosen]


def without_system(messages: list[Message]) -> list[Message]:
    """The instructions take the place of the rows' own system turns."""
    return [message for message in messages if message["role"] != "system"]
