"""The metric of a job, for its own rows."""

from ..data.examples import Row
from ..data.tool_calls import Call, form_of, message_calls
from ..errors import TrainerError
from ..job.job import Job
from .metrics import Metric, metric_of

NO_FORM = (
    "Tool calls can be read as <tool_call>{JSON}</tool_call>, [TOOL_CALLS], Llama 3's JSON or plain JSON: use a "
    "template that writes them so, or another metric"
)


def metric_for(job: Job, rows: list[Row], expected: list[str]) -> Metric | None:
    """The metric for answers to these rows; None for `none`. Metric tool_call is refused where the expected texts,
    read again, do not give the rows' calls: no answer could be right."""
    evaluate = job.evaluate
    form = tool_form(rows, expected) if evaluate.metric == "tool_call" else None
    return metric_of(evaluate.metric, evaluate.pattern, evaluate.reasoning, form)


def tool_form(rows: list[Row], expected: list[str]) -> str:
    calls = [expected_calls(row) for row in rows]
    if not any(calls):
        message = "Cannot use metric tool_call: no eval row calls a tool"
        raise TrainerError("bad_metric", message, "Hold out rows with tool_calls, or use another metric")
    pairs = list(zip(expected, calls, strict=True))
    form = form_of(pairs)
    if form is not None:
        return form
    calling = [(row, pair) for row, pair in zip(rows, pairs, strict=True) if pair[1]]
    row, (text, _) = next((item for item in calling if form_of([item[1]]) is None), calling[0])
    reason = f'the template writes the calls of row "{row.origin}" in a way that cannot be read: {text[:200]!r}'
    raise TrainerError("bad_metric", f"Cannot use metric tool_call: {reason}", NO_FORM, rows=[row.origin])


def expected_calls(row: Row) -> list[Call]:
    return message_calls(row.messages[row.learnt()[-1]])
