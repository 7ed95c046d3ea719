"""Checks JSON against a pydantic type: every problem names the field it is in, in words of our own."""

from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from pydantic import TypeAdapter, ValidationError

from ..errors import TrainerError

WORDS = {
    "missing": "is missing",
    "unexpected_keyword_argument": "is not a known field; known fields: {known}",
    "string_type": "must be a text, found {found!r}",
    "int_type": "must be a whole number, found {found!r}",
    "int_from_float": "must be a whole number, found {found!r}",
    "float_type": "must be a number, found {found!r}",
    "bool_type": "must be true or false, found {found!r}",
    "finite_number": "must be a finite number",
    "list_type": "must be a list",
    "dict_type": "must be an object",
    "dataclass_type": "must be an object",
    "model_attributes_type": "must be an object",
    "greater_than": "is {found!r} and must be above {gt:g}",
    "greater_than_equal": "is {found!r} and must be {ge:g} or more",
    "less_than_equal": "is {found!r} and must be {le:g} or less",
    "multiple_of": "is {found!r} and must be a multiple of {multiple_of:g}",
    "too_short": "must not be an empty list",
    "literal_error": "is {found!r} and must be one of {options}",
    "union_tag_invalid": "is {found!r} and must be one of {options}",
    "union_tag_not_found": "is missing",
}
"""By pydantic's types of errors. Any other one is said in pydantic's words."""

UNKNOWN = "unexpected_keyword_argument"
Path = tuple[str | int, ...]
Problem = Mapping[str, Any]


def refuse(at: str, reason: str) -> NoReturn:
    raise TrainerError("bad_job", f'Cannot use job.json: "{at}" {reason}')


def validate(adapter: TypeAdapter, text: str, value: Any) -> Any:
    """The JSON `text` as the adapter's type; `value` is the same, parsed. Raises the first problem, of which unknown
    fields come before all others: they are often the misspelt name of a missing one."""
    try:
        return adapter.validate_json(text)
    except ValidationError as error:
        problems = [(path_of(problem, value), problem) for problem in error.errors(include_url=False)]
    problems.sort(key=lambda item: item[1]["type"] != UNKNOWN)
    at = problems[0][0]
    # Where a field may be a word or something else there is a problem for each; the one inside the list knows more
    at = max((path for path, _ in problems if path[: len(at)] == at), key=len)
    reasons = [problem for path, problem in problems if path == at]
    known = known_fields(adapter.json_schema(), at[:-1], value) if reasons[0]["type"] == UNKNOWN else []
    refuse(written(at) or "job.json", reason_of(reasons, known, at, value))


def path_of(problem: Problem, value: Any) -> Path:
    """Where it is in the file. pydantic also names the branch of a union that it tried."""
    path: Path = ()
    for step in problem["loc"]:
        inside = step in value if isinstance(value, dict) else isinstance(value, list) and isinstance(step, int)
        if inside:
            path, value = (*path, step), value[step]
    if problem["type"] == "missing":
        return (*path, problem["loc"][-1])
    return (*path, "kind") if problem["type"].startswith("union_tag") else path


def known_fields(schema: dict[str, Any], at: Path, value: Any) -> list[str]:
    """The fields of the object at a place."""
    definitions, place = schema.get("$defs", {}), schema
    for step in (*at, None):
        while "$ref" in place or "oneOf" in place or "anyOf" in place:
            if "discriminator" in place:
                place = {"$ref": place["discriminator"]["mapping"][value["kind"]]}
            elif "$ref" in place:
                place = definitions[place["$ref"].rpartition("/")[2]]
            else:
                place = next(one for one in place["anyOf"] if one.get("type") != "null")
        if step is not None:
            inside = place.get("items") if isinstance(step, int) else place.get("properties", {}).get(step)
            place, value = inside or place["additionalProperties"], value[step]
    return list(place["properties"])


def reason_of(problems: Sequence[Problem], known: Sequence[str], at: Path, value: Any) -> str:
    kinds = [problem["type"] for problem in problems]
    found = at_path(value, at)
    context = problems[0].get("ctx", {})
    options = str(context.get("expected_tags") or context.get("expected", "")).replace("'", "").replace(" or ", ", ")
    if "literal_error" in kinds and len(kinds) > 1:
        if "too_short" in kinds:
            return WORDS["too_short"]
        return f"must be {options}, true or false" if "bool_type" in kinds else f"must be {options} or a list"
    words = WORDS.get(kinds[0])
    return (
        problems[0]["msg"]
        if words is None
        else words.format(**context, found=found, options=options, known=", ".join(known))
    )


def at_path(value: Any, at: Path) -> Any:
    """What is there; None where nothing is."""
    for step in at:
        value = value.get(step) if isinstance(value, dict) else value[step]
    return value


def written(at: Path) -> str:
    """`templates[0].turns.user`."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in at).removeprefix(".")
