"""How a base's rows are computed, found by trying: the fastest way that gives what the base itself gives."""

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from typing import TypeVar

from ..bases.context import turn_of, windows_of
from ..data.prepared import Prepared
from ..errors import TrainerError
from ..eval.decode import ALONE, TOGETHER, UNCACHED
from ..eval.decode import Way as Answers
from ..methods import Method
from .check_ways import Check, check_rows
from .compute import FASTEST, SCORING
from .compute import Way as Rows
from .fused import fusible

OWN = [Rows(rows, head) for rows in ("padded", "alone") for head in ("fast", "own")]
PACKED = [Rows("packed", head, layers) for head in ("fast", "own") for layers in ("fused", "own")]
WHOLE = Rows("alone", "whole")
T = TypeVar("T")


@dataclass(frozen=True)
class Ways:
    train: Rows = FASTEST
    score: Rows = SCORING
    answer: Answers = TOGETHER

    def as_json(self) -> dict:
        """As in result.json."""
        score = {"rows": self.score.rows, "head": self.score.head}
        return {"train": asdict(self.train), "score": score, "answer": self.answer.name}


@dataclass(frozen=True)
class Longest:
    """What the job's rows come to, with whatever stands before them."""

    row: int
    answered: int
    """The longest held-out row, or prompt and answer."""


def choose_ways(method: Method, rows: Prepared, longest: Longest, decoding: bool) -> tuple[Ways, list[str]]:
    """The ways for a job, and what to say where they are not the fastest ones. Raises where none is right."""
    turn, config = turn_of(method.causal.config), method.causal.config
    turns = turn is not None and max(longest.row, longest.answered) > turn
    if turns and method.prefix_length:
        message = f"Cannot train a prefix on this base: it reads rows longer than {turn} tokens differently"
        raise TrainerError(
            "bad_method", message, f"Keep rows and answers within {turn} tokens or use method.kind: lora"
        )
    check = Check(method, check_rows(rows, longest.row, windows_of(config)))
    # Without a layer that can be fused, "fused" is what "own" is
    packed = [way for way in PACKED if way.layers == "fused" or fusible(method.causal)]
    alone = [way for way in (*OWN, WHOLE) if way.rows == "alone"]
    reading = Reading(check, f"rows longer than {turn} tokens are read with other frequencies" if turns else None)
    train = reading.first("Training", alone if turns else [*packed, *OWN, WHOLE], check.trained, FASTEST)
    score = reading.first("Scoring", alone if turns else [SCORING, *OWN[1:], WHOLE], check.scored, SCORING)
    if score.rows != SCORING.rows:
        check.looks_back_only()
    answer = TOGETHER
    if decoding:
        cached = Answers(together=False, turn=turn) if turns else ALONE
        candidates = [*([] if turns else [TOGETHER]), cached, *([] if method.prefix_length else [UNCACHED])]
        answer = reading.first("Answering", candidates, check.answered, TOGETHER)
    return Ways(train, score, answer), reading.notes


class Reading:
    """Tries ways in order and notes why the fastest was not taken."""

    def __init__(self, check: Check, reason: str | None):
        self.check = check
        self.reason = reason
        self.notes: list[str] = []

    def first(self, what: str, candidates: Iterable[T], attempt: Callable[[T], str | None], fastest: T) -> T:
        why = self.reason
        for way in candidates:
            found = attempt(way)
            if found is None:
                if way != fastest:
                    self.notes.append(
                        f"{what} is slower with this base ({way}), because the fastest way is not exact: {why}"
                    )
                return way
            why = why or found
        raise self.check.refusal(f"{what.lower()} does not give the same result as the model itself: {why}")
