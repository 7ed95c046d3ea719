"""How many threads to compute with. `temper doctor` runs this text by itself, so it imports nothing of the trainer."""

import os
from pathlib import Path


def thread_count() -> int:
    """One thread a physical core: a second one on the same core slows matrix products down. The workers of a machine
    share its cores."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    workers = os.environ.get("LOCAL_WORLD_SIZE", "1")
    workers = int(workers) if workers.isdigit() and int(workers) > 0 else 1
    share = max(1, min(usable, physical_cores() or usable) // workers)
    given = os.environ.get("OMP_NUM_THREADS", "")
    if given.isdigit() and int(given) > 0:
        return int(given) if workers == 1 else min(int(given), share)
    return share


def physical_cores() -> int | None:
    """Distinct cores of the processors this process may use, where the kernel tells."""
    if not hasattr(os, "sched_getaffinity"):
        return None
    cores = set()
    for cpu in os.sched_getaffinity(0):
        topology = Path(f"/sys/devices/system/cpu/cpu{cpu}/topology")
        try:
            cores.add(tuple((topology / name).read_text() for name in ("physical_package_id", "core_id")))
        except OSError:
            return None
    return len(cores)
