"""One of several workers, for many jobs: PyTorch is imported once. Its argument is JSON:
{"cache", "jobs": [{"port", "folder", "at": {"rank", "step", "do": stop or fail}}]}, `at` where something happens."""

import json
import os
import signal
import sys
from pathlib import Path

import torch.distributed as dist

from temper_trainer.job.run import run_train
from temper_trainer.job.stop import Stop, Stopped
from temper_trainer.training import loop

STEP = loop.Loop.step


def run(job: dict, cache: Path) -> int:
    os.environ["MASTER_PORT"] = str(job["port"])
    loop.Loop.step = happening(job["at"]) if job["at"] else STEP
    stop = Stop()
    stop.listen()
    try:
        return run_train(Path(job["folder"]), cache, stop)
    except Stopped:
        return 130
    finally:
        if dist.is_initialized():
            dist.destroy_process_group()


def happening(at: dict):
    def step(self) -> None:
        STEP(self)
        if (self.workers.rank, self.state.step) != (at["rank"], at["step"]):
            return
        if at["do"] == "fail":
            raise ZeroDivisionError("on purpose")
        os.kill(os.getpid(), signal.SIGUSR1)

    return step


if __name__ == "__main__":
    task = json.loads(sys.argv[1])
    print(json.dumps([run(job, Path(task["cache"])) for job in task["jobs"]]), flush=True)
