"""The architectures that are read from GGUF files and written to them. Each is one file, which is found by itself."""

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from .architecture import Architecture

SHARED = ("architecture", "listing", "parts")
"""Files of this folder that are no architecture."""


@cache
def architectures() -> tuple[Architecture, ...]:
    """Those that GGUF files are read as, then those that are written as one of them."""
    names = sorted(module.name for module in iter_modules(__path__) if module.name not in SHARED)
    found = [import_module(f".{name}", __name__).ARCHITECTURE for name in names]
    return tuple(sorted(found, key=lambda arch: not arch.reads_gguf))


def architecture_of(model_type: str) -> Architecture | None:
    """By the `model_type` of config.json; None for one that GGUF files are not written for."""
    return next((arch for arch in architectures() if arch.model_type == model_type), None)


def architecture_of_gguf(name: object) -> Architecture | None:
    """The one that a GGUF file of this architecture is read as."""
    return next((arch for arch in architectures() if arch.gguf == name and arch.reads_gguf), None)


def readable_names() -> str:
    """Architectures of GGUF files, for messages."""
    return ", ".join(arch.gguf for arch in architectures() if arch.reads_gguf)


def writable_names() -> str:
    """Architectures that GGUF files are written for, for messages."""
    return ", ".join(f"{arch.model_type} {arch.condition}".strip() for arch in architectures())
