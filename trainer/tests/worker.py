"""One of several workers, for many jobs: PyTorch is imported once. Its arguments are CACHE and PORT:JOB_DIR …"""

import os
import sys
from pathlib import Path

from temper_trainer.job.run import run_train
from temper_trainer.job.stop import Stop

if __name__ == "__main__":
    cache, *jobs = sys.argv[1:]
    for job in jobs:
        os.environ["MASTER_PORT"], _, folder = job.partition(":")
        stop = Stop()
        stop.listen()
        print(f"{folder}: {run_train(Path(folder), Path(cache), stop)}", flush=True)
