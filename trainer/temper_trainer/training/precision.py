"""
The devices PyTorch finds here, and the type that `train.dtype: auto` takes on each, with the reason.

`temper doctor` runs this text by itself, so it imports nothing of the trainer. The same table is in
src/providers/trainer/environment/device_table.ts, for a machine whose Python was not asked yet.
"""

import platform
from typing import Any

X86, ARM = ("x86_64", "amd64"), ("aarch64", "arm64")


def ask_torch() -> dict[str, Any]:
    """What decides, as PyTorch and the system say it."""
    import torch

    machine = platform.machine().lower()
    mps = {"bf16": machine in ARM and bool(torch.backends.mps.is_macos_or_newer(14, 0))}
    return {
        "cpu": bf16_instructions(machine),
        "cuda": cuda_facts() if torch.cuda.is_available() else None,
        "mps": mps if torch.backends.mps.is_available() else None,
    }


def bf16_instructions(machine: str) -> str | None:
    """The instructions of this CPU that make bf16 fast; other CPUs compute it in fp32 and convert."""
    import torch

    def says(name: str) -> bool:
        # Private functions that a version or a build may lack
        return bool(getattr(torch.cpu, name, lambda: False)())

    if machine in X86:
        if says("_is_amx_tile_supported"):
            return "AMX"
        return "AVX512_BF16" if says("_is_avx512_bf16_supported") else None
    if machine in ARM and hasattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported"):
        return "Arm BF16" if torch.ops.mkldnn._is_mkldnn_bf16_supported() else None
    return None


def cuda_facts() -> dict[str, Any]:
    import torch

    major, minor = torch.cuda.get_device_capability()
    return {
        "name": torch.cuda.get_device_name(),
        "arch": f"sm_{major}{minor}" if torch.version.hip is None else torch.cuda.get_device_properties(0).gcnArchName,
        "bf16": bool(torch.cuda.is_bf16_supported(including_emulation=False)),
        "memory": torch.cuda.get_device_properties(0).total_memory,
        "count": torch.cuda.device_count(),
    }


def fast_types(facts: dict[str, Any]) -> dict[str, dict[str, str]]:
    """The type that `auto` takes on each device there is, and why. The device that `auto` takes comes first."""
    found = {}
    if facts["cuda"]:
        arch = facts["cuda"]["arch"]
        if facts["cuda"]["bf16"]:
            found["cuda"] = {"dtype": "bf16", "why": f"this GPU ({arch}) computes bf16"}
        else:
            found["cuda"] = {"dtype": "fp16", "why": f"this GPU ({arch}) has no bf16"}
    if facts["mps"]:
        if facts["mps"]["bf16"]:
            found["mps"] = {"dtype": "bf16", "why": "this Apple GPU computes bf16"}
        else:
            found["mps"] = {"dtype": "fp32", "why": "bf16 on an Apple GPU needs macOS 14"}
    if facts["cpu"]:
        found["cpu"] = {"dtype": "bf16", "why": f"this CPU has {facts['cpu']}"}
    else:
        found["cpu"] = {"dtype": "fp32", "why": "this CPU has no bf16 instructions"}
    return found


def devices() -> dict[str, Any]:
    """Both, as `python -m temper_trainer devices` prints it and result.json repeats it."""
    import torch

    facts = ask_torch()
    cuda = facts["cuda"] and {name: facts["cuda"][name] for name in ("name", "memory", "count")}
    types = fast_types(facts)
    return {
        "torch": torch.__version__,
        "host": platform.node(),
        "devices": {kind: {**found, **(cuda if kind == "cuda" else {})} for kind, found in types.items()},
    }
