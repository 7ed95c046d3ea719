"""Command line: python -m temper_trainer prepare|train JOB_DIR --cache CACHE_DIR."""

import argparse
import sys
from pathlib import Path

from .errors import STOPPED
from .run import run_prepare, run_train
from .stop import Stop, Stopped


def main(arguments: list[str] | None = None) -> int:
    options = parser().parse_args(arguments)
    stop = Stop()
    stop.listen()
    try:
        if options.verb == "prepare":
            return run_prepare(options.job_dir.absolute(), options.cache.absolute())
        return run_train(options.job_dir.absolute(), options.cache.absolute(), stop)
    except Stopped:
        print("Stopped: start again to continue", file=sys.stderr)
        return STOPPED


def parser() -> argparse.ArgumentParser:
    result = argparse.ArgumentParser(
        prog="python -m temper_trainer", description="Prepares, trains, evaluates and exports one job folder"
    )
    result.add_argument("verb", choices=["prepare", "train"], help="prepare: tokens and label masks; train: the rest")
    result.add_argument("job_dir", type=Path, metavar="JOB_DIR", help="folder with job.json")
    result.add_argument("--cache", type=Path, required=True, metavar="CACHE_DIR", help="where converted bases are kept")
    return result


if __name__ == "__main__":
    sys.exit(main())
