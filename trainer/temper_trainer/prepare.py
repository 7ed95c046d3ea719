"""`prepare`: the base into the cache, the examples into tokens and label masks."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from itertools import islice
from pathlib import Path

from tokenizers import Tokenizer

from .base import prepare_base
from .data import Row, read_rows
from .errors import TrainerError
from .events import Progress
from .export import bos_text, check_exports
from .files import write_json
from .job import Job
from .prepared import PreparedWriter
from .soft_tokens import opening, soft_names
from .template import Encoder, choose_template, renders_like

CHUNK = 1024
LISTED = 20


def prepare(job: Job, job_dir: Path, cache: Path, progress: Progress) -> None:
    """Writes prepared/ and tokens.json."""
    base = prepare_base(asdict(job.base), cache, progress)
    check_exports(job, base)
    tokenizer = Tokenizer.from_file(str(base.dir / "tokenizer.json"))
    chat_template = base.info["chat_template"]
    template = choose_template(job, chat_template, tokenizer)
    encoder = Encoder(tokenizer, template, base.info["bos"])
    limit = min(job.train.max_length, room(job, base.info["context"]))
    tables = {}
    for name, file in (("train", job.data.train), ("eval", job.data.eval)):
        if file is not None:
            table = Table(name, job, encoder, limit, progress)
            tables[name] = table.write(job_dir / file, job_dir / "prepared" / f"{name}.safetensors")
    trained_rows = tables["train"].pop("ended")
    report = {
        "version": 1,
        "prepared_from": job.prepared_from(),
        "template": asdict(template),
        "opening": opening(soft_names(job), template, bos_text(base)),
        "template_matches_base": renders_like(template, chat_template, special_tokens(base.dir)),
        "base": base.info,
        "end_token": {"text": template.stop[0], "id": encoder.stop_ids[0], "trained_rows": trained_rows},
        "long_rows": [row for table in tables.values() for row in table.pop("long")][:LISTED],
        "eval": None,
    }
    for table in tables.values():
        table.pop("ended", None)
    write_json(job_dir / "tokens.json", report | tables)


def room(job: Job, context: int) -> int:
    """Tokens of a row the base can read."""
    if job.ahead() + 2 > context:
        message = f"Cannot use method.length {job.ahead()}: the base reads {context} tokens in all"
        raise TrainerError("bad_method", message, "Take a shorter prefix")
    return context - job.ahead()


def special_tokens(folder: Path) -> dict[str, str]:
    """The names a chat template may use: bos_token and the like."""
    path = folder / "tokenizer_config.json"
    config = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    result = {}
    for name in ("bos_token", "eos_token", "pad_token", "unk_token"):
        value = config.get(name) or ""
        result[name] = value["content"] if isinstance(value, dict) else value
    return result


class Table:
    """One file of examples on its way to tokens, and what is counted along it."""

    def __init__(self, name: str, job: Job, encoder: Encoder, limit: int, progress: Progress):
        self.name = name
        self.job = job
        self.encoder = encoder
        self.limit = limit
        self.progress = progress
        self.count = Counter()
        self.lengths = Counter()
        self.long: list[dict] = []
        self.cut_off: list[str] = []

    def write(self, source: Path, target: Path) -> dict:
        writer = PreparedWriter(target)
        try:
            for rows in chunks(read_rows(source)):
                self.append(rows, writer)
            self.refuse()
        except BaseException:
            writer.discard()
            raise
        writer.close()
        return self.summary()

    def append(self, rows: list[Row], writer: PreparedWriter) -> None:
        encoded = self.encoder.encode_rows(rows)
        for row, parts, whole in zip(rows, encoded, self.encoder.encode_whole(rows), strict=True):
            tokens, labels = self.mask(parts)
            self.count["differing"] += tokens != whole
            writer.append(*self.fit(row, tokens, labels))
        self.progress(f"tokenising {self.name}", self.count["rows"], None)

    def mask(self, parts: list[tuple[list[int], bool]]) -> tuple[list[int], list[int]]:
        """Tokens and labels. In eval the last answer alone is labelled: all before it is the prompt."""
        tokens: list[int] = []
        labels: list[int] = []
        for i, (ids, answered) in enumerate(parts):
            tokens += ids
            learnt = answered and (self.name == "train" or i == len(parts) - 1)
            labels += [int(learnt)] * len(ids)
        return tokens, labels

    def fit(self, row: Row, tokens: list[int], labels: list[int]) -> tuple[list[int], list[int]]:
        self.count["rows"] += 1
        if len(tokens) > self.limit:
            self.count["truncated"] += 1
            if len(self.long) < LISTED:
                self.long.append({"origin": row.origin, "tokens": len(tokens)})
            tokens, labels = tokens[: self.limit], labels[: self.limit]
            if not any(labels) and len(self.cut_off) < LISTED:
                self.cut_off.append(row.origin)
        self.count["tokens"] += len(tokens)
        self.count["supervised"] += sum(labels)
        self.count["ended"] += any(
            label and token == self.encoder.stop_ids[0] for token, label in zip(tokens, labels, strict=True)
        )
        self.lengths[len(tokens)] += 1
        return tokens, labels

    def refuse(self) -> None:
        """Stops on what cannot be trained or evaluated."""
        rows, long = self.count["rows"], self.count["truncated"]
        if rows == 0:
            raise TrainerError("bad_data", f"Cannot use the {self.name} examples: there are none")
        where = f"{self.limit} tokens, the smaller of train.max_length and the base's context"
        hint = "Raise train.max_length or shorten the rows"
        origins = [row["origin"] for row in self.long]
        if long == rows:
            message = f"Cannot use the {self.name} examples: every one of the {rows} rows is longer than {where}"
            raise TrainerError("too_long", message, hint, rows=origins)
        if long and self.job.checks.too_long == "error":
            message = f"Cannot use the {self.name} examples: {long} of {rows} rows are longer than {where}"
            raise TrainerError("too_long", message, f"{hint}, or set checks.too_long to warn", rows=origins)
        if self.cut_off:
            message = f"Cannot cut the {self.name} examples to {where}: nothing of the answer would be left"
            raise TrainerError("too_long", message, hint, rows=self.cut_off)

    def summary(self) -> dict:
        count = self.count
        return {
            "rows": count["rows"],
            "tokens": count["tokens"],
            "supervised": count["supervised"],
            "masked": count["tokens"] - count["supervised"],
            "truncated": count["truncated"],
            "differing": count["differing"],
            "longest": max(self.lengths),
            "lengths": histogram(self.lengths),
            "long": self.long,
            "ended": count["ended"],
        }


def histogram(lengths: Counter) -> list[tuple[int, int]]:
    """Counts by upper bound: 8, 12, 16, 24, 32, 48, … so that short and long rows both show."""
    bounds, step = [8], 4
    while bounds[-1] < max(lengths):
        bounds += [bounds[-1] + step, bounds[-1] + 2 * step]
        step *= 2
    counts = Counter()
    for length, count in lengths.items():
        counts[next(bound for bound in bounds if length <= bound)] += count
    return sorted(counts.items())


def chunks(rows: Iterator[Row]) -> Iterator[list[Row]]:
    while chunk := list(islice(rows, CHUNK)):
        yield chunk
