"""What the machine does while it trains: how busy, how warm, how full."""

import subprocess
import threading
from typing import Any

import torch

FIRST, INTERVAL = 1.0, 5.0
"""Seconds to the first sample, and from each to the next."""
PROCESSORS = ("coretemp", "k10temp", "zenpower", "cpu_thermal", "cpu-thermal")
"""As their drivers name the sensors of processors."""
QUERY = {"gpu": "utilization.gpu", "gpu_temperature": "temperature.gpu", "gpu_memory": "memory.used"}
MIB = 1 << 20
LONGEST = 5.0
"""Seconds that nvidia-smi may take."""

Sample = dict[str, float]


class DeviceUse:
    """
    Samples while it is entered, in a thread that touches neither the training nor its files: the loop asks for the
    newest sample between two steps and writes it.
    """

    def __init__(self, device: torch.device):
        properties = torch.cuda.get_device_properties(device) if device.type == "cuda" else None
        # Earlier versions of PyTorch do not tell which GPU it is
        uuid = getattr(properties, "uuid", None)
        self.gpu = uuid and f"GPU-{uuid}"
        self.newest: Sample | None = None
        self.ended = threading.Event()

    def __enter__(self) -> "DeviceUse":
        threading.Thread(target=self.work, name="device use", daemon=True).start()
        return self

    def __exit__(self, *_) -> None:
        self.ended.set()

    def taken(self) -> Sample | None:
        """The newest sample, once."""
        sample, self.newest = self.newest, None
        return sample

    def work(self) -> None:
        cpu_use()
        wait = FIRST
        while not self.ended.wait(wait):
            self.newest = cpu_use() | cpu_temperature() | (gpu_use(self.gpu) if self.gpu else {}) or None
            wait = INTERVAL


def import_psutil() -> Any:
    """accelerate brings it; an environment of one's own may do without."""
    try:
        import psutil
    except ImportError:
        return None
    return psutil


def cpu_use() -> Sample:
    """Of all cores in percent, since the last call."""
    try:
        psutil = import_psutil()
        return {"cpu": psutil.cpu_percent()} if psutil else {}
    except Exception:  # as below
        return {}


def cpu_temperature() -> Sample:
    """The warmest part of the processor in °C, where the system has its sensors."""
    try:
        sensors = getattr(import_psutil(), "sensors_temperatures", dict)()
        readings = [reading.current for name in PROCESSORS for reading in sensors.get(name, [])]
        found = [degrees for degrees in readings if degrees is not None]
        return {"cpu_temperature": max(found)} if found else {}
    except Exception:  # psutil raises what the system's files make it raise; the thread goes on without this reading
        return {}


def gpu_use(gpu: str, program: str = "nvidia-smi") -> Sample:
    """What the driver's own program says of one GPU: use in percent, °C, and bytes that all programs hold there."""
    command = [program, f"--id={gpu}", f"--query-gpu={','.join(QUERY.values())}", "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=LONGEST, check=True)
    except (OSError, subprocess.SubprocessError):
        return {}
    values = [number(text) for text in done.stdout.strip().split(",")]
    sample = {name: value for name, value in zip(QUERY, values, strict=False) if value is not None}
    if "gpu_memory" in sample:
        sample["gpu_memory"] *= MIB
    return sample


def number(text: str) -> float | None:
    """None for what a GPU does not tell: "[N/A]"."""
    try:
        return float(text)
    except ValueError:
        return None
