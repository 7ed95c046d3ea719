"""Every source of randomness in training, and its state as tensors and JSON."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import numpy as np
import torch


class RandomState:
    """PyTorch's generators, and a fast one for dropout on the CPU."""

    def __init__(self, seed: int, device: str):
        self.device = device
        self.bits = np.random.SFC64(seed)
        torch.manual_seed(seed)

    def dropout_mask(self, shape: torch.Size, dropped: float) -> tuple[torch.Tensor, float]:
        """True where an input stays, and the share that stays.

        PyTorch draws one slow number for each element on the CPU, which costs as much as the layer itself; 16 random
        bits for each are enough, with the share rounded to 1/65536.
        """
        if self.device != "cpu":
            return torch.empty(shape, dtype=torch.bool, device=self.device).bernoulli_(1 - dropped), 1 - dropped
        threshold = round(dropped * 65536)
        count = shape.numel()
        words = self.bits.random_raw(-(-count // 4)).view(np.uint16)[:count]
        return torch.from_numpy(words >= threshold).view(shape), 1 - threshold / 65536

    def choice(self, below: int, count: int) -> list[int]:
        """Different whole numbers from 0."""
        return torch.randperm(below)[:count].tolist()

    def tensors(self) -> dict[str, torch.Tensor]:
        states = {"random.torch": torch.get_rng_state()}
        if self.device == "cuda":
            states["random.cuda"] = torch.cuda.get_rng_state()
        if self.device == "mps":
            states["random.mps"] = torch.mps.get_rng_state()
        return states

    def numbers(self) -> Any:
        state = self.bits.state
        return state | {"state": {"state": [int(word) for word in state["state"]["state"]]}}

    def restore(self, tensors: dict[str, torch.Tensor], numbers: Any) -> None:
        torch.set_rng_state(tensors["random.torch"])
        if self.device == "cuda":
            torch.cuda.set_rng_state(tensors["random.cuda"])
        if self.device == "mps":
            torch.mps.set_rng_state(tensors["random.mps"])
        self.bits.state = numbers | {"state": {"state": np.array(numbers["state"]["state"], np.uint64)}}

    def repeats(self) -> tuple[AbstractContextManager, AbstractContextManager]:
        """Contexts of a computation that begins now and of its repetition, which draws the same numbers again."""
        return nullcontext(), self._as_of(self.tensors(), self.numbers())

    @contextmanager
    def _as_of(self, tensors: dict[str, torch.Tensor], numbers: Any) -> Iterator[None]:
        now = self.tensors(), self.numbers()
        self.restore(tensors, numbers)
        try:
            yield
        finally:
            self.restore(*now)
