"""Whether a model came out of its files whole: nothing drawn at random, nothing of the files left aside."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..errors import TrainerError

MASKS = re.compile(r"(\.|^)(attn|attention|self_attention)\.(bias|masked_bias)$|rotary_emb\.inv_freq$")
"""Constants that old files hold beside the weights."""
HINT = "Download the base again, or pass the folder it was saved to"


def check_loaded(
    model: Any, found: Mapping[str, Any], tied: bool, what: str = "use this base", hint: str = HINT
) -> None:
    """`found` is what transformers says of the loading, `tied` what the base's description says of its head."""
    for reason in faults(model, found, tied):
        raise TrainerError("unsupported_base", f"Cannot {what}: {reason}", hint)


def faults(model: Any, found: Mapping[str, Any], tied: bool) -> Iterator[str]:
    shapes = {name: (list(theirs), list(ours)) for name, theirs, ours in found["mismatched_keys"]}
    missing = sorted(set(found["missing_keys"]) - set(shapes))
    if missing:
        yield f"its file has no tensor {listed(missing)}, which the model needs"
    for name, (theirs, ours) in sorted(shapes.items()):
        yield f'tensor "{name}" has the shape {theirs}, but config.json requires {ours}'
    unused = sorted(name for name in found["unexpected_keys"] if not MASKS.search(name))
    if unused:
        yield f"its file has a tensor {listed(unused)}, which a model with this config.json does not use"
    if tied and not is_tied(model):
        yield "config.json says that its head is the embedding (tie_word_embeddings), but its file has another head"
    if not tied and is_tied(model):
        yield "its head was described as separate, but it is the embedding"


def is_tied(model: Any) -> bool:
    head, embedding = model.get_output_embeddings(), model.get_input_embeddings()
    return head is not None and embedding is not None and head.weight is embedding.weight


def listed(names: Sequence[str]) -> str:
    """The first name, and how many there are."""
    return f'"{names[0]}" (and {len(names) - 1} more)' if len(names) > 1 else f'"{names[0]}"'
