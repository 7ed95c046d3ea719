"""Every source of randomness in training."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import numpy as np
import torch


class RandomState:
    """
    PyTorch's generators, and a fast one for each row for dropout on the CPU. What a row draws follows from the seed,
    the step and the row: not from the rows beside it, from the worker that computes it or from where training resumed.
    """

    def __init__(self, seed: int, device: str):
        self.seed, self.device = seed, device
        self.bits, self.lengths = [np.random.SFC64(seed)], [0]
        torch.manual_seed(seed)

    def begin(self, step: int, rows: Sequence[int] | np.ndarray, lengths: Sequence[int] | np.ndarray) -> None:
        """From here on these rows of a step are computed together."""
        sources = [np.random.SeedSequence([self.seed, step, int(row)]) for row in rows]
        self.bits, self.lengths = [np.random.SFC64(source) for source in sources], [int(length) for length in lengths]
        torch.manual_seed(int(sources[0].generate_state(1)[0]))

    def dropout_mask(self, shape: torch.Size, dropped: float) -> tuple[torch.Tensor, float]:
        """True where an input stays, and the share that stays.

        PyTorch draws one slow number for each element on the CPU, which costs as much as the layer itself; 16 random
        bits for each are enough, with the share rounded to 1/65536.
        """
        if self.device != "cpu":
            return torch.empty(shape, dtype=torch.bool, device=self.device).bernoulli_(1 - dropped), 1 - dropped
        threshold = round(dropped * 65536)
        width = shape[1:].numel()
        mask = np.zeros(shape.numel(), bool)
        for bits, start, length in self._places(shape[0]):
            count = length * width
            words = bits.random_raw(-(-count // 4)).view(np.uint16)[:count]
            np.greater_equal(words, threshold, out=mask[start * width :][:count])
        return torch.from_numpy(mask).view(shape), 1 - threshold / 65536

    def _places(self, tokens: int) -> Iterator[tuple[np.random.SFC64, int, int]]:
        """Where each row is among so many: end to end, or side by side with padding behind. Layers that see a
        selection of the tokens, such as experts, draw from the first row."""
        if tokens == sum(self.lengths):
            starts = np.cumsum([0, *self.lengths[:-1]]).tolist()
        elif tokens == len(self.lengths) * max(self.lengths):
            starts = [index * max(self.lengths) for index in range(len(self.lengths))]
        else:
            yield self.bits[0], 0, tokens
            return
        yield from zip(self.bits, starts, self.lengths, strict=True)

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
        states = [bits.state for bits in self.bits]
        words = [[int(word) for word in state["state"]["state"]] for state in states]
        rows = [state | {"state": {"state": found}} for state, found in zip(states, words, strict=True)]
        return {"rows": rows, "lengths": self.lengths}

    def restore(self, tensors: dict[str, torch.Tensor], numbers: Any) -> None:
        torch.set_rng_state(tensors["random.torch"])
        if self.device == "cuda":
            torch.cuda.set_rng_state(tensors["random.cuda"])
        if self.device == "mps":
            torch.mps.set_rng_state(tensors["random.mps"])
        self.bits, self.lengths = [np.random.SFC64() for _ in numbers["rows"]], numbers["lengths"]
        for bits, state in zip(self.bits, numbers["rows"], strict=True):
            bits.state = state | {"state": {"state": np.array(state["state"]["state"], np.uint64)}}

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
