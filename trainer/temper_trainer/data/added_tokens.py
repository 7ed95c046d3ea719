"""Names of the tokens a prefix becomes in a vocabulary, and the text every prompt begins with."""

from typing import Any

from ..job.job import Job
from ..job.settings import Template


def soft_tokens(count: int) -> list[str]:
    """Of one width, so that none is the beginning of another."""
    return [f"<|soft_{index:03}|>" for index in range(count)]


def soft_names(job: Job) -> list[str]:
    """The names that a file exported for this job adds to the vocabulary."""
    return soft_tokens(job.added_tokens())


def opening(names: list[str], template: Template, bos: str | None) -> str:
    """What a server's template has to put before the first turn. The server adds BOS itself, but would add it before
    the soft tokens, which have to come first: it is told not to, and the text says it instead."""
    if bos is None:
        return "".join(names) + template.prefix
    rest = template.prefix.removeprefix(bos)
    return "".join(names) + bos + rest if names else rest


def template_of_file(names: list[str], template: dict[str, Any], bos: str | None) -> dict[str, Any]:
    """The template for a file's own chat template, which engines render whole."""
    if not names:
        return template
    start = bos or ""
    return template | {"prefix": "".join(names) + start + template["prefix"].removeprefix(start)}
