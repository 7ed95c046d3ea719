"""predictions.jsonl: every answer with the expected one, and how the rows changed."""

import json
from pathlib import Path

from ..data.examples import Row
from ..files import write_atomic
from .evaluate import HeldOut, Scores, prompt_of


def write_predictions(
    path: Path,
    held_out: HeldOut,
    before: Scores | None,
    few_shot: Scores | None,
    after: Scores | None,
    prefix_length: int = 0,
) -> None:
    """One held-out row a line; null where an answer was not asked for."""
    columns = {"before": before, "few_shot": few_shot, "after": after}
    lines = []
    for index, (row, text) in enumerate(zip(held_out.rows, held_out.texts, strict=True)):
        line = {"row": index, "origin": row.origin, "question": question(row)}
        line |= {"prompt": text.prompt, "expected": text.expected}
        line["prompt_tokens"] = prefix_length + len(prompt_of(held_out.prepared, index))
        line |= {name: _at(scores and scores.answers, index) for name, scores in columns.items()}
        line |= {f"{name}_ok": _at(scores and scores.right, index) for name, scores in columns.items()}
        lines.append(json.dumps(line, ensure_ascii=False) + "\n")
    write_atomic(path, "".join(lines).encode())


def changes(before: Scores | None, after: Scores | None) -> dict[str, int] | None:
    """Rows by what training did to them; None where there is nothing to compare."""
    if before is None or after is None or before.right is None or after.right is None:
        return None
    pairs = list(zip(before.right, after.right, strict=True))
    names = {
        "fixed": (False, True),
        "broken": (True, False),
        "still_wrong": (False, False),
        "still_right": (True, True),
    }
    return {name: pairs.count(pair) for name, pair in names.items()}


def question(row: Row) -> str:
    """What a person would recognise the row by: the turn that the answer answers."""
    turn = row.learnt()[-1]
    return row.messages[turn - 1]["content"] if turn else ""


def _at(values: list | None, index: int):
    return None if values is None else values[index]
