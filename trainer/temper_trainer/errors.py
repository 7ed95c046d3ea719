"""Failures a person can act on."""

from collections.abc import Iterable

FAILED = 1
UNUSABLE = 2
LOCKED = 3
STOPPED = 130


class TrainerError(Exception):
    """Ends the job with a sentence instead of a traceback."""

    def __init__(
        self, code: str, message: str, hint: str | None = None, exit_code: int = UNUSABLE, rows: Iterable[str] = ()
    ):
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
        self.exit_code = exit_code
        self.rows = list(rows)

    def as_json(self) -> dict:
        """The form written to `error.json` and `result.json`."""
        return {
            "code": self.code,
            "message": self.message,
            "hint": self.hint,
            "rows": self.rows,
            "exit_code": self.exit_code,
        }


class Unfit(Exception):
    """A way of computing does not fit a model; another one may."""
