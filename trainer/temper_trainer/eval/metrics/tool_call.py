"""The answer calls the same tools with JSON-equal arguments, and none where none is expected."""

from ...data.tool_calls import FORMS, same_calls
from . import Metric, Settings

ANSWER_ONLY = True
"""What was thought of calling is no call, whatever evaluate.reasoning says."""


def metric(settings: Settings) -> Metric:
    read = FORMS[settings.form or "json"]
    return lambda answer, expected: same_calls(read(answer), read(expected))
