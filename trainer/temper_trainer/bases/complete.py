"""Whether a folder has the tensors of its architecture. transformers initialises missing ones
at random and continues."""

from collections.abc import Collection
from typing import Any

from ..archs import architecture_of
from .tied import Head, Tensors


def loaded_names(config: Any, tensors: Tensors, head: Head) -> set[str] | None:
    """The tensors that transformers loads for this config; None where their names are not those of the file. Raises
    ValueError with what is wrong."""
    if architecture_of(config.model_type) is None:
        return None
    wanted = _shapes(config, head)
    names = {new: old for old, new in [head.renamed]} if head.renamed else {}
    missing = [name for name in wanted if names.get(name, name) not in tensors]
    if missing:
        more = f" ({len(missing)} of {len(wanted)})" if len(missing) > 1 else ""
        others = f'; it has others, such as "{next(iter(tensors))}"' if len(missing) == len(wanted) else ""
        raise ValueError(f'tensor "{missing[0]}" is missing{more}{others}')
    for name, shape in wanted.items():
        stored = names.get(name, name)
        found = tensors[stored].entries[stored].shape
        if found != shape:
            raise ValueError(f'tensor "{name}" has the shape {found}, config.json says {shape}')
    return {names.get(name, name) for name in wanted}


def renamed_tensor(config: Any, stored: Collection[str], everything: bool) -> str | None:
    """A weight of the loaded model that the file has under another name or in another form, so that a trained one
    cannot be put back: of all of them with `everything`, else of the linear layers."""
    import torch

    model = _empty(config)
    head = model.get_output_embeddings()
    linear = [
        f"{name}.weight"
        for name, layer in model.named_modules()
        if isinstance(layer, torch.nn.Linear) and layer is not head
    ]
    names = [name for name, _ in model.named_parameters()] if everything else linear
    return next((name for name in names if name not in stored), None)


def _shapes(config: Any, head: Head) -> dict[str, tuple[int, ...]]:
    config.tie_word_embeddings = head.tied
    return {name: tuple(tensor.shape) for name, tensor in _empty(config).named_parameters()}


def _empty(config: Any) -> Any:
    """The model without a single value."""
    import torch
    from transformers import AutoModelForCausalLM

    with torch.device("meta"):
        return AutoModelForCausalLM.from_config(config)
