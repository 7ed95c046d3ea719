"""The same text after trimming."""

from . import Metric, Settings


def metric(_: Settings) -> Metric:
    return lambda answer, expected: answer.strip() == expected.strip()
