"""Turns what went wrong into a sentence."""

import errno
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

from ..errors import FAILED, UNUSABLE, TrainerError


def explain(error: Exception) -> TrainerError:
    """The failure as a TrainerError. Unexpected errors also leave a traceback in the log."""
    if isinstance(error, TrainerError):
        return error
    if disk_full(error):
        message = f'Cannot write "{getattr(error, "filename", None) or "a file"}": no space left on device'
        return TrainerError("disk_full", message, "Free some space and start again: it resumes", FAILED)
    if isinstance(error, OSError) and error.errno in (errno.EACCES, errno.EROFS, errno.EPERM):
        message = f'Cannot use "{error.filename}": {error.strerror}'
        return TrainerError("not_writable", message, "Check the permissions of the folder", FAILED)
    if out_of_memory(error):
        hint = "Lower train.micro_tokens, set train.checkpointing: true, lower train.max_length, or use a smaller base"
        return TrainerError("out_of_memory", "Cannot continue: out of memory", hint, FAILED)
    traceback.print_exception(error, file=sys.stderr)
    return TrainerError("unexpected", f"Unexpected {sentence(error)}", "The traceback is in trainer.log", FAILED)


def sentence(error: Exception) -> str:
    """One line of what a library says."""
    return f"{type(error).__name__}: {' '.join(str(error).split()) or 'no message'}"


@contextmanager
def explained(code: str, action: str, hint: str, exit_code: int = UNUSABLE) -> Iterator[None]:
    """Says what was being done when something failed that nobody foresaw: libraries raise anything on files that they
    do not expect. The traceback goes to the log."""
    try:
        yield
    except TrainerError:
        raise
    except Exception as error:
        if isinstance(error, OSError) or disk_full(error) or out_of_memory(error):
            raise
        traceback.print_exception(error, file=sys.stderr)
        sentence = " ".join(str(error).split()) or "no message"
        raise TrainerError(code, f"{action}: {type(error).__name__}: {sentence[:300]}", hint, exit_code) from error


def out_of_memory(error: Exception) -> bool:
    """PyTorch reports a failed allocation on the CPU as a plain RuntimeError."""
    text = str(error)
    names = {kind.__name__ for kind in type(error).__mro__}
    return isinstance(error, MemoryError) or "OutOfMemoryError" in names or "can't allocate memory" in text


def disk_full(error: Exception) -> bool:
    """safetensors reports what the system said in its own exception's text."""
    full = (errno.ENOSPC, errno.EDQUOT)
    return getattr(error, "errno", None) in full or any(f"(os error {number})" in str(error) for number in full)
