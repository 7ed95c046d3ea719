"""One trainer per job folder."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .errors import LOCKED, TrainerError


@contextmanager
def job_lock(job_dir: Path) -> Iterator[None]:
    """
    Holds JOB_DIR/lock. The kernel lets go of it when the process ends, however it ends. The file names the process,
    for whoever wants to stop it while it holds the lock.
    """
    path = job_dir / "lock"
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            message = f'Cannot start in "{job_dir}": another trainer holds its lock'
            raise TrainerError("locked", message, exit_code=LOCKED) from None
        os.ftruncate(handle, 0)
        os.write(handle, f"{os.getpid()}\n".encode())
        yield
    finally:
        os.close(handle)
