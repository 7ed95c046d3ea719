"""Command line: python -m temper_trainer prepare|train|judge JOB_DIR …"""

import argparse
import json
import os
import sys
from pathlib import Path

from .errors import STOPPED
from .job.events import end_with_reader
from .job.run import run_judge, run_prepare, run_train
from .job.stop import Stop, Stopped
from .training.workers import end_with_launcher, leave

PRINTED = {
    "archs": "print what archs.json holds: the architectures that GGUF files are written for",
    "schema": "print what job.schema.json holds: the fields of job.json",
    "devices": "print the devices that PyTorch finds here, and the type that train.dtype: auto takes on each",
}


def main(arguments: list[str] | None = None) -> int:
    options = parser().parse_args(arguments)
    if options.verb in PRINTED:
        return print_content(options.verb)
    share_processors()
    forget_old_kernels()
    stop = Stop()
    stop.listen()
    try:
        if options.verb == "prepare":
            end_with_reader()
            return run_prepare(options.job_dir.absolute(), options.cache.absolute(), options.read_cache)
        if options.verb == "judge":
            return run_judge(options.job_dir.absolute(), options.answers.absolute())
        end_with_launcher()
        return run_train(options.job_dir.absolute(), options.cache.absolute(), stop, options.read_cache)
    except Stopped:
        print("Stopped: start again to continue", file=sys.stderr)
        return STOPPED


def print_content(verb: str) -> int:
    """Prints what the pipeline's side reads, from a file or from here."""
    if verb == "archs":
        from .archs.listing import listing as content
    elif verb == "devices":
        from .training.precision import devices as content
    else:
        from .job.job import schema as content
    print(json.dumps(content(), ensure_ascii=False, indent=2))
    return 0


def absolute(path: str) -> Path:
    return Path(path).absolute()


def share_processors() -> None:
    """
    OpenMP's threads wait for each other by spinning. On a machine that also does other work, that takes the processor
    from the very thread they wait for: training was five times slower. Read when PyTorch is imported.
    """
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", "1000")


def forget_old_kernels() -> None:
    """
    On CPUs oneDNN keeps a kernel for each shape that it has computed in bf16, 1024 of them, and PyTorch as many more:
    steps of ever new sizes took 10 MB each. A step's layers repeat the same few. Read when PyTorch is imported.
    """
    for name in ("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "LRU_CACHE_CAPACITY"):
        os.environ.setdefault(name, "64")


def parser() -> argparse.ArgumentParser:
    result = argparse.ArgumentParser(
        prog="python -m temper_trainer", description="Prepares, trains, evaluates and exports one job folder"
    )
    verbs = result.add_subparsers(dest="verb", required=True, metavar="VERB")
    for verb, what in (("prepare", "make tokens and label masks"), ("train", "train, evaluate and export")):
        parts = verbs.add_parser(verb, help=what)
        parts.add_argument("job_dir", type=Path, metavar="JOB_DIR", help="folder with job.json")
        where = "where converted bases are kept"
        parts.add_argument("--cache", type=Path, required=True, metavar="CACHE_DIR", help=where)
        more = "where bases may be that were converted already; may be repeated"
        parts.add_argument("--read-cache", type=absolute, action="append", default=[], metavar="CACHE_DIR", help=more)
    parts = verbs.add_parser("judge", help="score another program's answers to the eval rows")
    parts.add_argument("job_dir", type=Path, metavar="JOB_DIR", help="folder with job.json")
    parts.add_argument("answers", type=Path, metavar="ANSWERS", help='JSON Lines of {"row", "answer"}')
    for verb, what in PRINTED.items():
        verbs.add_parser(verb, help=what)
    return result


if __name__ == "__main__":
    leave(main())
