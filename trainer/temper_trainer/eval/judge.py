"""Answers to the held-out rows that came from elsewhere, such as a server, judged as the trainer judges its own."""

import json
from pathlib import Path
from typing import Any

from ..data.examples import Row, read_rows
from ..data.prepared import read_eval_texts
from ..errors import TrainerError
from ..job.job import Job
from .job_metric import metric_for


def judge(job: Job, job_dir: Path, answers: Path) -> dict[str, Any]:
    """`answers` has a line {"row", "answer"} for each row, in the order of the eval file."""
    if job.evaluate.metric == "none" or job.data.eval is None:
        raise TrainerError("nothing_to_judge", "Cannot judge answers: the job has no metric or no eval rows")
    rows = list(read_rows(job_dir / job.data.eval))
    expected = expected_texts(job_dir, rows)
    metric = metric_for(job, rows, expected)
    lines = answers.read_text(encoding="utf-8").split("\n")
    given = [json.loads(line) for line in lines if line]
    if [answer["row"] for answer in given] != list(range(len(expected))):
        message = f'Cannot judge "{answers}": it does not answer the {len(expected)} eval rows in their order'
        raise TrainerError("bad_answers", message)
    right = [metric(answer["answer"], wanted) for answer, wanted in zip(given, expected, strict=True)]
    return {"version": 1, "rows": len(right), "score": sum(right) / len(right), "right": right}


def expected_texts(job_dir: Path, rows: list[Row]) -> list[str]:
    path = job_dir / "prepared" / "eval.jsonl"
    if not path.exists():
        # Prepared by an earlier version, whose templates were all linear: the answer is the text itself.
        return [row.messages[-1]["content"] for row in rows]
    return [text.expected for text in read_eval_texts(path)]
