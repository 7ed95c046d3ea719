"""Asking the process to stop: at once where nothing would be lost, else at the next safe place."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager


class Stopped(BaseException):
    """SIGTERM, SIGINT or SIGUSR1 came. Not an Exception: nothing but the command line may catch it."""


class Stop:
    def __init__(self):
        self.requested = False
        self.deferred = False

    def listen(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1):
            signal.signal(number, self.receive)

    def receive(self, *_) -> None:
        self.requested = True
        if not self.deferred:
            raise Stopped

    def check(self) -> None:
        """A safe place."""
        if self.requested:
            raise Stopped

    @contextmanager
    def at_safe_places(self) -> Iterator[None]:
        """While this lasts, stopping waits for `check`."""
        self.deferred = True
        try:
            yield
        finally:
            self.deferred = False
