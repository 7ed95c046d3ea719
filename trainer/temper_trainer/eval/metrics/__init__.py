"""What counts as a right answer: one file for each metric, which is found by itself.

src/spec/rules/metrics.ts has the same ones for hosted answers; tests/fixtures/answers.json holds both to the same
verdicts.
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pkgutil import iter_modules

from ...data.tool_calls import without_reasoning

Metric = Callable[[str, str], bool]
"""Takes the answer and the expected text. Pure: text in, verdict out."""
NONE = "none"
"""Measures the loss alone."""


@dataclass(frozen=True)
class Settings:
    """What a metric may ask for."""

    pattern: str | None = None
    """evaluate.pattern."""
    form: str | None = None
    """How tool calls are written."""


def metric_names() -> tuple[str, ...]:
    """What evaluate.metric may be."""
    return (*(module.name for module in iter_modules(__path__)), NONE)


def metric_of(
    name: str, pattern: str | None = None, reasoning: str = "exclude", form: str | None = None
) -> Metric | None:
    """The metric a job names; None for `none`. It judges what follows the reasoning on both sides, or with reasoning
    `include` the whole text, unless the metric's file says ANSWER_ONLY."""
    if name == NONE:
        return None
    module = import_module(f".{name}", __name__)
    metric: Metric = module.metric(Settings(pattern, form))
    if reasoning == "include" and not getattr(module, "ANSWER_ONLY", False):
        return metric
    return lambda answer, expected: metric(without_reasoning(answer), without_reasoning(expected))
