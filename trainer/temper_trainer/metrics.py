"""Whether an answer is right. Pure: text in, verdict out."""

import json
import re
from collections.abc import Callable
from decimal import Decimal

from .errors import TrainerError

Metric = Callable[[str, str], bool]
"""Takes the answer and the expected text."""

EXPECTED = re.compile(r"\{\{\s*expected\s*\}\}")


def metric_of(name: str, pattern: str | None = None) -> Metric | None:
    """The metric a job names; None for `none`, which measures the loss alone."""
    if name == "regex":
        return regex(pattern or "")
    return {"exact_match": exact_match, "contains": contains, "json_equal": json_equal, "none": None}[name]


def exact_match(answer: str, expected: str) -> bool:
    """The same text after trimming."""
    return answer.strip() == expected.strip()


def contains(answer: str, expected: str) -> bool:
    """The answer contains the expected text; every answer contains an empty one, so that asks for an empty answer."""
    wanted = expected.strip()
    return wanted in answer if wanted else not answer.strip()


def regex(pattern: str) -> Metric:
    """The answer matches `pattern` somewhere; `{{ expected }}` stands for the expected text, escaped and trimmed."""
    parts = EXPECTED.split(pattern)
    try:
        re.compile("(?:expected)".join(parts))
    except re.error as error:
        raise TrainerError(
            "bad_pattern",
            f'Cannot use evaluate.pattern "{pattern}": {error}',
            "The pattern is a Python regular expression",
        ) from error

    def matches(answer: str, expected: str) -> bool:
        # A group keeps what follows the placeholder, such as a '+', from binding to its last letter alone.
        text = f"(?:{re.escape(expected.strip())})".join(parts)
        return re.search(text, answer.strip()) is not None

    return matches


def json_equal(answer: str, expected: str) -> bool:
    """Both are JSON and stand for the same value; white space, key order and `1` or `1.0` do not matter."""
    try:
        return _same(_parse(answer), _parse(expected))
    except (ValueError, ArithmeticError, RecursionError):
        return False


def _parse(text: str) -> object:
    # Decimal keeps 1e400 apart from 1e500, and 0.1 from its neighbours. NaN and Infinity are not JSON.
    return json.loads(text, parse_float=Decimal, parse_int=Decimal, parse_constant=_refuse)


def _refuse(constant: str) -> object:
    raise ValueError(f"{constant} is not JSON")


def _same(a: object, b: object) -> bool:
    # Types first: to Python, True equals 1.
    if type(a) is not type(b):
        return False
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(_same(value, b[key]) for key, value in a.items())
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(_same, a, b))
    return a == b
