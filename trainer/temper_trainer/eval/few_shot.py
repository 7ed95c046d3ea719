"""The base with instructions and examples in the prompt: what prompting alone would reach."""

import hashlib
from dataclasses import replace
from heapq import nsmallest
from pathlib import Path

from ..data.chat import Chat
from ..data.encoder import Encoder
from ..data.examples import Message, Row, read_rows, read_some
from ..errors import TrainerError
from ..job.settings import FewShot


def few_shot_texts(chat: Chat, few_shot: FewShot, train: Path, rows: list[Row], seed: int) -> list[str]:
    """Each row's prompt: instructions, examples as finished turns, then the row up to its answer."""
    examples = choose_examples(train, few_shot.examples, seed)
    shown = [message for row in examples for message in without_system(row.messages)]
    texts = []
    for row in rows:
        turn = row.learnt()[-1]
        turns = [*shown, *without_system(row.messages[:turn])]
        reasons = bool(row.messages[turn].get("reasoning_content"))
        texts.append(instructed(chat, row, few_shot.instructions, turns, reasons))
    return texts


def instructed(chat: Chat, row: Row, instructions: str, turns: list[Message], reasons: bool) -> str:
    """The prompt with the instructions as system prompt or, where the template takes none, before the first turn."""
    system = {"role": "system", "content": instructions}
    try:
        return chat.prompt(replace(row, messages=[system, *turns]), reasons)
    except TrainerError as error:
        if error.code != "bad_data" or not turns:
            raise
        first, *rest = turns
        opened = first | {"content": f"{instructions}\n\n{first['content']}"}
        return chat.prompt(replace(row, messages=[opened, *rest]), reasons)


def few_shot_prompts(encoder: Encoder, texts: list[str], rows: list[Row], room: int) -> list[list[int]]:
    """Tokens of the prompts, when each leaves room for an answer."""
    prompts = [encoder.encode_prompt(text) for text in texts]
    too_long = [row.origin for row, prompt in zip(rows, prompts, strict=True) if len(prompt) >= room]
    if too_long:
        what = f"{len(too_long)} of {len(rows)} prompts with evaluate.few_shot fill the context of {room} tokens"
        raise TrainerError("too_long", f"Cannot evaluate the base: {what}", "Use fewer examples", rows=too_long[:20])
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
