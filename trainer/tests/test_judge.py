"""`judge`: answers that came from elsewhere, by the job's own metric."""

import json

import pytest
from tiny import conversation, make_job, write_jsonl

from temper_trainer.__main__ import main
from temper_trainer.data.prepared import EvalText, write_eval_texts

ROWS = [{"origin": f"home.jsonl:{i}", "messages": conversation(f"turn {i}", f"do: {i}\u2028")} for i in range(3)]


@pytest.fixture
def job_dir(tmp_path):
    folder = make_job(tmp_path / "job", {"kind": "folder", "path": "/base", "sha256": "0" * 64}, ROWS, ROWS)
    (folder / "prepared").mkdir()
    texts = [EvalText("", row["messages"][-1]["content"], None) for row in ROWS]
    write_eval_texts(folder / "prepared" / "eval.jsonl", texts)
    return folder


def judged(job_dir, tmp_path, answers, capsys):
    path = tmp_path / "answers.jsonl"
    write_jsonl(path, answers)
    code = main(["judge", str(job_dir), str(path)])
    out, err = capsys.readouterr()
    return code, json.loads(out) if out else None, err


def test_judge_gives_a_verdict_for_each_row(job_dir, tmp_path, capsys):
    answers = [{"row": i, "answer": text} for i, text in enumerate(["do: 0", " do: 1\u2028", "do: 3"])]
    code, verdict, _ = judged(job_dir, tmp_path, answers, capsys)
    assert code == 0
    assert verdict == {"version": 1, "rows": 3, "score": 2 / 3, "right": [True, True, False]}


@pytest.mark.parametrize("rows", [[0, 1], [0, 2, 1], [0, 1, 2, 3]])
def test_judge_refuses_answers_to_other_rows(job_dir, tmp_path, capsys, rows):
    code, verdict, err = judged(job_dir, tmp_path, [{"row": row, "answer": ""} for row in rows], capsys)
    assert (code, verdict) == (2, None)
    assert "does not answer the 3 eval rows in their order" in err


def test_judge_has_nothing_to_say_without_a_metric(job_dir, tmp_path, capsys):
    job = json.loads((job_dir / "job.json").read_text())
    job["evaluate"]["metric"] = "none"
    (job_dir / "job.json").write_text(json.dumps(job))
    code, verdict, err = judged(job_dir, tmp_path, [{"row": i, "answer": ""} for i in range(3)], capsys)
    assert (code, verdict) == (2, None)
    assert "has no metric" in err


def test_judge_reads_jobs_of_earlier_versions(job_dir, tmp_path, capsys):
    """They kept no texts, and said nothing of reasoning or a template in Jinja."""
    (job_dir / "prepared" / "eval.jsonl").unlink()
    job = json.loads((job_dir / "job.json").read_text())
    del job["chat_template"], job["evaluate"]["reasoning"]
    (job_dir / "job.json").write_text(json.dumps(job))
    answers = [{"row": i, "answer": text} for i, text in enumerate(["do: 0", "do: 1\u2028", "do: 3"])]
    code, verdict, _ = judged(job_dir, tmp_path, answers, capsys)
    assert (code, verdict["right"]) == (0, [True, True, False])
