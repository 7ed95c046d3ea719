"""`prepare`: the base into the cache, the examples into tokens and label masks."""

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import islice
from pathlib import Path

from tokenizers import Tokenizer

from ..bases.base import Base, prepare_base
from ..errors import TrainerError
from ..eval.few_shot import few_shot_texts
from ..eval.job_metric import metric_for
from ..export.export import bos_text, check_exports
from ..export.tokenizer_files import TEMPLATE
from ..files import sync_folder, write_atomic, write_json
from ..job.events import Progress
from ..job.job import Job
from .added_tokens import opening, soft_names
from .chat import Answer, ControlTokens, chains
from .encoder import Encoder, Part
from .examples import Row, read_rows
from .prepared import EvalText, PreparedWriter, write_eval_texts
from .template_choice import TemplateChoice

CHUNK = 128
LISTED = 20
SHORTER = "Raise train.max_length or shorten the rows"


def prepare(job: Job, job_dir: Path, cache: Path, progress: Progress, others: Sequence[Path] = ()) -> None:
    """Writes prepared/ and tokens.json."""
    base = prepare_base(asdict(job.base), cache, progress, others)
    check_exports(job, base)
    tokenizer = Tokenizer.from_file(str(base.dir / "tokenizer.json"))
    choice = TemplateChoice(job, base, tokenizer)
    try:
        report = write_tables(job, job_dir, base, choice, progress)
    finally:
        choice.close()
    write_json(job_dir / "tokens.json", report)


def write_tables(job: Job, job_dir: Path, base: Base, choice: TemplateChoice, progress: Progress) -> dict:
    """The content of tokens.json."""
    encoder = Encoder(choice.tokenizer, [], base.info["bos"])
    limit = min(job.train.max_length, room(job, base.info["context"]))
    start = opening(soft_names(job), choice.linear, bos_text(base)) if choice.linear else ""
    tables = {}
    for name, file in (("train", job.data.train), ("eval", job.data.eval)):
        if file is not None:
            tables[name] = Table(name, job, choice, encoder, limit, progress)
            tables[name].write(job_dir / file, job_dir / "prepared" / f"{name}.safetensors")
    if job.checks.too_long == "error":
        refuse_long([table for table in tables.values() if table.count["truncated"]])
    write_atomic(job_dir / "prepared" / TEMPLATE, choice.template_text().encode())
    if "eval" in tables:
        rows = list(read_rows(job_dir / job.data.eval))
        texts = eval_texts(job, job_dir, choice, tables["eval"], rows, start)
        metric_for(job, rows, [text.expected for text in texts])
        write_eval_texts(job_dir / "prepared" / "eval.jsonl", texts)
    template = described(choice, tables)
    stop = template["stop"][0]
    return {
        "version": 1,
        "prepared_from": job.prepared_from(),
        "template": template,
        "opening": start,
        "template_matches_base": choice.matches,
        "template_difference": choice.difference,
        "left_out": getattr(choice.chat, "left_out", {}),
        "date": choice.jinja and choice.jinja.date,
        "base": base.info,
        "end_token": {
            "text": stop,
            "id": choice.tokenizer.token_to_id(stop),
            "trained_rows": tables["train"].count["ended"],
        },
        "long_rows": [row for table in tables.values() for row in table.long][:LISTED],
        "train": tables["train"].summary(),
        "eval": tables["eval"].summary() if "eval" in tables else None,
    }


def described(choice: TemplateChoice, tables: dict[str, "Table"]) -> dict:
    """The `template` of tokens.json."""
    if choice.linear:
        return {"kind": "linear", **asdict(choice.linear)}
    trained = tables["train"].ends
    return {
        "kind": "jinja",
        "name": choice.name,
        "stop": list(dict.fromkeys([*(text for text, _ in trained.most_common()), *choice.end_texts])),
        "linear": choice.alike[0].name if choice.alike else None,
        "markup": sorted({text for table in tables.values() for text in table.markup}),
    }


def eval_texts(
    job: Job, job_dir: Path, choice: TemplateChoice, table: "Table", rows: list[Row], start: str
) -> list[EvalText]:
    """What is asked and expected of each eval row, as a server shows it: without the BOS that it adds by itself.

    `start` stands before a linear template's turns when served."""
    prefix = choice.linear.prefix if choice.linear else table.encoder.bos_text
    asked = [start + answer.prompt.removeprefix(prefix) for answer in table.last]
    few_shot: list[str] | list[None] = [None] * len(asked)
    if job.evaluate.few_shot:
        few_shot = few_shot_texts(choice.chat, job.evaluate.few_shot, job_dir / job.data.train, rows, job.train.seed)
    answers = [answer.text for answer in table.last]
    return [EvalText(*fields) for fields in zip(asked, answers, few_shot, strict=True)]


def room(job: Job, context: int) -> int:
    """Tokens of a row the base can read."""
    if job.prefix_length() + 2 > context:
        message = f"Cannot use method.length {job.prefix_length()}: the base reads {context} tokens in all"
        raise TrainerError("bad_method", message, "Use a shorter prefix")
    return context - job.prefix_length()


class Table:
    """One file of examples on its way to tokens, and what is counted along it."""

    def __init__(self, name: str, job: Job, choice: TemplateChoice, encoder: Encoder, limit: int, progress: Progress):
        self.name = name
        self.job = job
        self.choice = choice
        self.control = ControlTokens(choice.control)
        self.encoder = encoder
        self.limit = limit
        self.progress = progress
        self.count = Counter()
        self.lengths = Counter()
        self.ends: Counter[str] = Counter()
        """End tokens of the answers that are learnt."""
        self.markup: set[str] = set()
        """Control tokens inside those answers, written by the template."""
        self.last: list[Answer] = []
        """In eval: the answer of each row."""
        self.long: list[dict] = []
        self.cut_off: list[str] = []
        self.dropped: set[int] = set()
        """Numbers of the conversations that are left out."""

    def write(self, source: Path, target: Path) -> None:
        writer = PreparedWriter(target)
        try:
            for rows in chunks(read_rows(source)):
                self.append(rows, writer)
            self.refuse()
        except BaseException:
            writer.discard()
            raise
        writer.close()
        if self.dropped:
            # What is read beside the tokens, row by row, has the same rows.
            remove_lines(source, self.dropped)

    def append(self, rows: list[Row], writer: PreparedWriter) -> None:
        for row in rows:
            self.control.refuse(row)
        learnt = [self.learnt(row) for row in rows]
        answers = self.choice.chat.answers(rows, learnt)
        self.choice.compare(rows, learnt, answers)
        chained = [chains(found) for found in answers]
        first = self.count["read"]
        self.count["read"] += len(rows)
        pairs = [(first + i, row, chain) for i, row in enumerate(rows) for chain in chained[i]]
        samples = [sample for _, _, sample in pairs]
        encoded, wholes = self.encoder.encode_samples(samples), self.encoder.encode_whole(samples)
        masks = [mask(parts) for parts in encoded]
        if self.job.checks.too_long == "drop":
            self.drop([(number, row, len(tokens)) for (number, row, _), (tokens, _) in zip(pairs, masks, strict=True)])
        kept = [found for i, found in enumerate(chained) if first + i not in self.dropped]
        self.count["conversations"] += len(kept)
        self.count["split"] += sum(len(found) > 1 for found in kept)
        for (number, row, sample), (tokens, labels), whole in zip(pairs, masks, wholes, strict=True):
            if number not in self.dropped:
                self.note(sample)
                self.count["differing"] += tokens != whole
                writer.append(*self.fit(row, tokens, labels))
        self.progress(f"tokenising {self.name}", self.count["read"], None)

    def drop(self, lengths: list[tuple[int, Row, int]]) -> None:
        """Leaves out conversations with a part that is too long. `lengths`: number, row and tokens of each part."""
        for number, row, tokens in lengths:
            if tokens > self.limit and number not in self.dropped:
                self.dropped.add(number)
                self.note_long(row, tokens)

    def note_long(self, row: Row, tokens: int) -> None:
        if len(self.long) < LISTED:
            self.long.append({"origin": row.origin, "tokens": tokens})

    def learnt(self, row: Row) -> list[int]:
        """Numbers of the turns that are labelled. In eval the last one alone: all before it is the prompt."""
        turns = row.learnt()
        if not turns:
            message = f'Cannot use row "{row.origin}": every answer has weight 0, so that there is nothing to learn'
            raise TrainerError("bad_data", message, "Remove the row", rows=[row.origin])
        return turns if self.name == "train" else turns[-1:]

    def note(self, sample: list[Answer]) -> None:
        for answer in sample:
            self.ends[answer.end] += 1
            self.markup.update(self.control.inside(answer.text))
        if self.name == "eval":
            self.last.append(sample[-1])

    def fit(self, row: Row, tokens: list[int], labels: list[int]) -> tuple[list[int], list[int]]:
        self.count["rows"] += 1
        if len(tokens) > self.limit:
            self.count["truncated"] += 1
            self.note_long(row, len(tokens))
            tokens, labels = tokens[: self.limit], labels[: self.limit]
            if not any(labels) and len(self.cut_off) < LISTED:
                self.cut_off.append(row.origin)
        ends = {self.choice.tokenizer.token_to_id(text) for text in self.ends}
        self.count["tokens"] += len(tokens)
        self.count["supervised"] += sum(labels)
        self.count["ended"] += any(label and token in ends for token, label in zip(tokens, labels, strict=True))
        self.lengths[len(tokens)] += 1
        return tokens, labels

    def refuse(self) -> None:
        """Stops on what cannot be trained or evaluated."""
        rows, long = self.count["rows"], self.count["truncated"]
        if self.dropped:
            rows, long = rows + len(self.dropped), len(self.dropped)
        if rows == 0:
            raise TrainerError("bad_data", f"Cannot use the {self.name} examples: there are none")
        where = limit_text(self.limit)
        if long == rows:
            message = f"Cannot use the {self.name} examples: every one of the {rows} rows is longer than {where}"
            raise TrainerError("too_long", message, SHORTER, rows=self.long_texts())
        if self.cut_off and self.job.checks.too_long != "error":
            message = f"Cannot cut the {self.name} examples to {where}: nothing of the answer would be left"
            raise TrainerError("too_long", message, SHORTER, rows=self.cut_off)

    def long_texts(self) -> list[str]:
        return [f"{row['origin']}: has {row['tokens']} tokens" for row in self.long]

    def summary(self) -> dict:
        count = self.count
        return {
            "rows": count["rows"],
            "conversations": count["conversations"],
            "split": count["split"],
            "tokens": count["tokens"],
            "supervised": count["supervised"],
            "masked": count["tokens"] - count["supervised"],
            "truncated": count["truncated"],
            "dropped": len(self.dropped),
            "differing": count["differing"],
            "longest": max(self.lengths),
            "lengths": histogram(self.lengths),
        }


def refuse_long(tables: list[Table]) -> None:
    """Stops on rows that are too long: those of both files at once."""
    if tables:
        names = " and ".join(table.name for table in tables)
        long = " and ".join(f"{table.count['truncated']} of {table.count['rows']}" for table in tables)
        message = f"Cannot use the {names} examples: {long} rows are longer than {limit_text(tables[0].limit)}"
        rows = [text for table in tables for text in table.long_texts()]
        raise TrainerError("too_long", message, f"{SHORTER}, or set checks.too_long to drop or warn", rows=rows)


def limit_text(limit: int) -> str:
    return f"{limit} tokens, the smaller of train.max_length and the base's context"


def remove_lines(path: Path, numbers: set[int]) -> None:
    """Rewrites a file without some of its lines."""
    temporary = path.with_name(f".{path.name}.tmp")
    with open(path, "rb") as source, open(temporary, "wb") as target:
        target.writelines(line for number, line in enumerate(source) if number not in numbers)
        target.flush()
        os.fsync(target.fileno())
    os.replace(temporary, path)
    sync_folder(path.parent)


def mask(parts: list[Part]) -> tuple[list[int], list[int]]:
    """Tokens and labels."""
    tokens = [token for ids, _ in parts for token in ids]
    return tokens, [int(learnt) for ids, learnt in parts for _ in ids]


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
