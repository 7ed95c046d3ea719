"""
The loss scaler of fp16, in which small gradients would become 0: the loss is multiplied before the way back, and the
gradient divided after it.

The algorithm and its constants are those that PyTorch documents for torch.amp.GradScaler. With one flat gradient it
takes a few lines, its state is plain numbers in the checkpoint, and the steps it skips are counted.
"""

from dataclasses import dataclass
from typing import Any

import torch

FIRST = 2.0**16
BACKOFF, GROWTH = 0.5, 2.0
GROWTH_INTERVAL = 2000


@dataclass
class LossScale:
    scale: float | None = None
    """None: losses are not scaled, as in fp32 and bf16."""
    good: int = 0
    """Steps in a row whose gradient was finite, since the scale last changed."""
    skipped: int = 0
    """Steps that changed no weight, because their gradient did not fit into fp16."""

    @classmethod
    def of(cls, dtype: torch.dtype) -> "LossScale":
        return cls(FIRST if dtype == torch.float16 else None)

    def scaled(self, loss: torch.Tensor) -> torch.Tensor:
        return loss if self.scale is None else loss * self.scale

    def unscale(self, gradient: torch.Tensor) -> None:
        """A power of two: exact."""
        if self.scale is not None:
            gradient.mul_(1 / self.scale)

    def skips(self, finite: bool) -> bool:
        """
        Whether a step with such a gradient is left out; adapts the scale to it. A gradient that is not finite although
        the loss is no longer multiplied is none of the scale's doing.
        """
        if self.scale is None or (self.scale <= 1 and not finite):
            return False
        if not finite:
            self.scale, self.good, self.skipped = self.scale * BACKOFF, 0, self.skipped + 1
            return True
        self.good += 1
        if self.good == GROWTH_INTERVAL:
            self.scale, self.good = self.scale * GROWTH, 0
        return False

    def as_json(self) -> dict[str, Any]:
        """For events."""
        return {} if self.scale is None else {"loss_scale": self.scale, "skipped": self.skipped}
