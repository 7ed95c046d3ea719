"""One trainer per job folder."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import LOCKED, TrainerError


@contextmanager
def job_lock(job_dir: Path) -> Iterator[None]:
    """
    Holds JOB_DIR/lock. The kernel lets go of it when the process ends, however it ends. The file names the process,
    for whoever wants to stop it while it holds the lock.
    """
    with held(job_dir / "lock", os.O_RDWR | os.O_CREAT, job_dir) as handle:
        os.ftruncate(handle, 0)
        os.write(handle, f"{os.getpid()}\n".encode())
        yield


@contextmanager
def folder_lock(job_dir: Path) -> Iterator[None]:
    """Holds the job folder itself: `prepare` leaves nothing but what it prepared."""
    with held(job_dir, os.O_RDONLY, job_dir):
        yield


@contextmanager
def held(path: Path, flags: int, job_dir: Path) -> Iterator[int]:
    handle = os.open(path, flags, 0o644)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            message = f'Cannot start in "{job_dir}": another trainer holds its lock'
            raise TrainerError("locked", message, exit_code=LOCKED) from None
        yield handle
    finally:
        os.close(handle)
