"""JSON values compared exactly: numbers by their digits, not as doubles."""

import json
from decimal import Decimal


def parse_json(text: str) -> object:
    """Raises ValueError on what is not JSON. Decimal keeps 1e400 apart from 1e500, and 0.1 from its neighbours."""
    try:
        return json.loads(text, parse_float=Decimal, parse_int=Decimal, parse_constant=_refuse)
    except (ArithmeticError, RecursionError) as error:
        raise ValueError(str(error)) from None


def same_json(a: object, b: object) -> bool:
    """Whether two values of `parse_json` are equal; key order and `1` or `1.0` do not matter."""
    # Types first: to Python, True equals 1.
    if type(a) is not type(b):
        return False
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same_json(value, b[key]) for key, value in a.items())
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same_json, a, b))
    return a == b


def _refuse(constant: str) -> object:
    raise ValueError(f"{constant} is not JSON")
