"""The answer matches `pattern` somewhere; `{{ expected }}` stands for the expected text, escaped and trimmed."""

import re

from ...errors import TrainerError
from . import Metric, Settings

EXPECTED = re.compile(r"\{\{\s*expected\s*\}\}")


def metric(settings: Settings) -> Metric:
    pattern = settings.pattern or ""
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
