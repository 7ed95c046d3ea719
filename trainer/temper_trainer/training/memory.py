"""The process's memory."""

import resource
import sys
from pathlib import Path


def resident_bytes() -> int:
    """Now, where the kernel tells; otherwise the most so far."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
    except OSError:
        return peak_bytes()


def device_bytes(device: str) -> dict[str, int]:
    """What a GPU has and what was held there at most; nothing for a device that uses the machine's memory."""
    if device != "cuda":
        return {}
    import torch

    return {
        "device_memory": torch.cuda.get_device_properties(torch.cuda.current_device()).total_memory,
        "peak_device": torch.cuda.max_memory_allocated(),
    }


def peak_bytes() -> int:
    """The most so far."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
