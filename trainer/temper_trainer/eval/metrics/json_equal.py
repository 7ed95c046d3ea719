"""Both are JSON and stand for the same value; white space, key order and `1` or `1.0` do not matter."""

from ...data.exact_json import parse_json, same_json
from . import Metric, Settings


def metric(_: Settings) -> Metric:
    return json_equal


def json_equal(answer: str, expected: str) -> bool:
    try:
        return same_json(parse_json(answer), parse_json(expected))
    except (ValueError, RecursionError):
        return False
