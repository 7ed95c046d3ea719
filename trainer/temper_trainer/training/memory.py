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


def free_bytes(device: str) -> int | None:
    """What is left for this process, where that can be found out."""
    if device == "cpu":
        return min((bytes for bytes in (machine_free(), group_free()) if bytes is not None), default=None)
    import torch

    if device == "mps":
        return torch.mps.recommended_max_memory() - torch.mps.driver_allocated_memory()
    # What PyTorch has set aside and does not use is free too
    return torch.cuda.mem_get_info()[0] + torch.cuda.memory_reserved() - torch.cuda.memory_allocated()


def machine_free(info: Path = Path("/proc/meminfo")) -> int | None:
    try:
        lines = dict(line.split(":") for line in info.read_text().splitlines())
        return int(lines["MemAvailable"].split()[0]) * 1024
    except (OSError, KeyError, ValueError):
        return None


def group_free(groups: Path = Path("/sys/fs/cgroup"), own: Path = Path("/proc/self/cgroup")) -> int | None:
    """What the limits of the process's control groups leave, as in a container or a cluster's job."""
    try:
        name = next(line.removeprefix("0::/") for line in own.read_text().splitlines() if line.startswith("0::/"))
    except (OSError, StopIteration):
        return None
    folder, found = groups / name, []
    for place in (folder, *folder.parents):
        found.append(left_in(place))
        if place == groups:
            break
    return min((bytes for bytes in found if bytes is not None), default=None)


def left_in(group: Path) -> int | None:
    """None where it has no limit. Cached files are given back when memory is needed."""
    try:
        limit, used = ((group / f"memory.{name}").read_text().strip() for name in ("max", "current"))
        if limit == "max":
            return None
        stat = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
        return int(limit) - int(used) + int(stat["inactive_file"])
    except (OSError, KeyError, ValueError):
        return None
