"""Whether an answer is right. Pure: text in, verdict out."""

import re
from collections.abc import Callable

from ..data.exact_json import parse_json, same_json
from ..data.tool_calls import FORMS, same_calls, without_reasoning
from ..errors import TrainerError

Metric = Callable[[str, str], bool]
"""Takes the answer and the expected text."""

EXPECTED = re.compile(r"\{\{\s*expected\s*\}\}")


def metric_of(
    name: str, pattern: str | None = None, reasoning: str = "exclude", form: str | None = None
) -> Metric | None:
    """The metric a job names; None for `none`, which measures the loss alone. `form`: how tool calls are written."""
    if name == "none":
        return None
    if name == "tool_call":
        return tool_call(form or "json")
    plain = {"exact_match": exact_match, "contains": contains, "json_equal": json_equal}
    metric = regex(pattern or "") if name == "regex" else plain[name]
    return metric if reasoning == "include" else answers_alone(metric)


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
        return same_json(parse_json(answer), parse_json(expected))
    except (ValueError, RecursionError):
        return False


def tool_call(form: str) -> Metric:
    """The answer calls the same tools with JSON-equal arguments, and none where none is expected."""

    def matches(answer: str, expected: str) -> bool:
        return same_calls(_calls(answer), _calls(expected))

    def _calls(text: str):
        return FORMS[form](without_reasoning(text))

    return matches


def answers_alone(metric: Metric) -> Metric:
    """The metric on what follows the reasoning, on both sides."""
    return lambda answer, expected: metric(without_reasoning(answer), without_reasoning(expected))
