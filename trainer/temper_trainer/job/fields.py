"""Reads JSON into dataclasses, strictly: every problem names the field it stands in."""

import dataclasses
import math
import types
import typing
from typing import Annotated, Any, Literal, get_args, get_origin

from ..errors import TrainerError


@dataclasses.dataclass(frozen=True)
class Range:
    """Bounds of a number, both included unless `above` is set."""

    low: float | None = None
    high: float | None = None
    above: float | None = None

    def refuse(self, value: float) -> str | None:
        if self.above is not None and not value > self.above:
            return f"must be above {self.above:g}"
        if self.low is not None and value < self.low:
            return f"must be {self.low:g} or more"
        if self.high is not None and value > self.high:
            return f"must be {self.high:g} or less"
        return None


@dataclasses.dataclass(frozen=True)
class Tagged:
    """A union of dataclasses told apart by the field `kind`."""

    variants: typing.Mapping[str, type]


def refuse(at: str, reason: str) -> typing.NoReturn:
    raise TrainerError("bad_job", f'Cannot use job.json: "{at}" {reason}')


def read(kind: Any, value: Any, at: str) -> Any:
    """`value` as `kind`, a type annotation made of dataclasses, scalars, lists, literals and unions with None."""
    rules: tuple = ()
    if get_origin(kind) is Annotated:
        kind, *rules = get_args(kind)
    for rule in rules:
        if isinstance(rule, Tagged):
            return read_tagged(rule, value, at)
    result = read_plain(kind, value, at)
    for rule in rules:
        if result is not None and isinstance(rule, Range) and (reason := rule.refuse(result)):
            refuse(at, f"is {value!r} and {reason}")
    return result


def read_plain(kind: Any, value: Any, at: str) -> Any:
    origin = get_origin(kind)
    if origin in (types.UnionType, typing.Union):
        return read_union(get_args(kind), value, at)
    if origin is Literal:
        options = get_args(kind)
        if value not in options or isinstance(value, bool):
            refuse(at, f"is {value!r} and must be one of {', '.join(map(str, options))}")
        return value
    if origin is list:
        if not isinstance(value, list):
            refuse(at, "must be a list")
        return [read(get_args(kind)[0], item, f"{at}[{i}]") for i, item in enumerate(value)]
    if origin is dict:
        if not isinstance(value, dict):
            refuse(at, "must be an object")
        return {key: read(get_args(kind)[1], item, f"{at}.{key}") for key, item in value.items()}
    if dataclasses.is_dataclass(kind):
        return read_object(kind, value, at)
    return read_scalar(kind, value, at)


def read_union(options: tuple, value: Any, at: str) -> Any:
    if value is None and type(None) in options:
        return None
    rest = [option for option in options if option is not type(None)]
    for option in rest[:-1]:
        if get_origin(option) is list and isinstance(value, list):
            return read(option, value, at)
    return read(rest[-1], value, at)


def read_scalar(kind: type, value: Any, at: str) -> Any:
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if not isinstance(value, kind) or (kind is not bool and isinstance(value, bool)):
        words = {str: "a text", int: "a whole number", float: "a number", bool: "true or false"}
        refuse(at, f"must be {words[kind]}, found {value!r}")
    if kind is float and not math.isfinite(value):
        refuse(at, "must be a finite number")
    return value


def read_tagged(rule: Tagged, value: Any, at: str) -> Any:
    if not isinstance(value, dict):
        refuse(at, "must be an object")
    variant = rule.variants.get(value.get("kind", ""))
    if variant is None:
        refuse(f"{at}.kind", f"is {value.get('kind')!r} and must be one of {', '.join(rule.variants)}")
    return read_object(variant, value, at)


def read_object(kind: type, value: Any, at: str) -> Any:
    if not isinstance(value, dict):
        refuse(at or "job.json", "must be an object")
    hints = typing.get_type_hints(kind, include_extras=True)
    known = {field.name: field for field in dataclasses.fields(kind)}
    inside = f"{at}." if at else ""
    for key in value:
        if key not in known:
            refuse(f"{inside}{key}", f"is not a known field; known here: {', '.join(known)}")
    given = {}
    for name, field in known.items():
        if name in value:
            given[name] = read(hints[name], value[name], f"{inside}{name}")
        elif field.default is dataclasses.MISSING:
            refuse(f"{inside}{name}", "is missing")
    return kind(**given)
