"""One trainer per job folder."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .errors import LOCKED, TrainerError


@contextmanager
def job_lock(job_dir: Path) -> Iterator[None]:
    """Holds JOB_DIR/lock. The kernel lets go of it when the process ends, however it ends."""
    path = job_dir / "lock"
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            message = f'Cannot start in "{job_dir}": another trainer holds its lock'
            raise TrainerError("locked", message, exit_code=LOCKED) from None
        yield
    finally:
        os.close(handle)
