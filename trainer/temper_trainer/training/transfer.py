"""Rows on their way to the device."""

import torch


def to_device(tensor: torch.Tensor, device: torch.device) -> torch.Tensor:
    """On CUDA from pinned memory: a copy from any other would wait for all that the device has still to do, and the
    next rows could not be laid out meanwhile."""
    if device.type == "cuda":
        return tensor.pin_memory().to(device, non_blocking=True)
    return tensor.to(device)
