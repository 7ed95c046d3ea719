"""Metric tool_call is held to what the template writes for the rows' own calls."""

import pytest
import tiny

from temper_trainer.data.examples import read_row
from temper_trainer.errors import TrainerError
from temper_trainer.eval.job_metric import metric_for
from temper_trainer.job.job import read_job

CALL = {"id": "call_0", "type": "function", "function": {"name": "light", "arguments": '{"on": true}'}}
HERMES = '<tool_call>\n{"name": "light", "arguments": {"on": true}}\n</tool_call>'


def row(path, answer, after=()):
    import json

    messages = [{"role": "user", "content": "light"}, {"role": "assistant", "content": "", **answer}, *after]
    return read_row(json.dumps({"origin": "a:1", "messages": messages}), path, 1)


@pytest.fixture
def job(tmp_path):
    base = {"kind": "folder", "path": "/base", "sha256": "0" * 64}
    rows = tiny.home_rows(2)
    return read_job(tiny.make_job(tmp_path / "job", base, rows, rows, evaluate={"metric": "tool_call"}))


def test_metric_for_reads_the_form_of_the_rows(job, tmp_path):
    rows = [row(tmp_path, {"tool_calls": [CALL]}), row(tmp_path, {"content": "no"})]
    metric = metric_for(job, rows, [f"<think>\nhm\n</think>\n\n{HERMES}", "no"])
    assert metric('<tool_call>{"arguments": {"on": true}, "name": "light"}</tool_call>', HERMES)
    assert not metric('{"name": "light", "arguments": {"on": true}}', HERMES)
    assert metric("never", "no") and not metric(HERMES, "no")
    llama = metric_for(job, rows[:1], ['{"name": "light", "parameters": {"on": true}}'])
    assert llama('{"name": "light", "parameters": {"on": true}}', '{"name": "light", "parameters": {"on":true}}')


def test_metric_for_takes_the_last_answer_that_is_learnt(job, tmp_path):
    later = [
        {"role": "tool", "content": "done", "tool_call_id": "call_0"},
        {"role": "assistant", "content": "ok", "weight": 0},
    ]
    assert metric_for(job, [row(tmp_path, {"tool_calls": [CALL]}, later)], [HERMES])(HERMES, HERMES)


@pytest.mark.parametrize(
    ("answer", "expected", "reason"),
    [
        ({"content": "no"}, "no", "no eval row calls a tool"),
        ({"tool_calls": [CALL]}, "<function=light><parameter=on>true", 'the calls of row "a:1" in a way that cannot'),
        ({"tool_calls": [CALL]}, HERMES.replace("true", "false"), 'the calls of row "a:1" in a way that cannot'),
    ],
)
def test_metric_for_refuses_what_no_answer_could_meet(job, tmp_path, answer, expected, reason):
    with pytest.raises(TrainerError, match=reason) as caught:
        metric_for(job, [row(tmp_path, answer)], [expected])
    assert caught.value.exit_code == 2
