"""Whether a model came out of its files whole: nothing drawn at random, nothing of the files left aside."""

import re
from collections.abc import Collection, Mapping
from typing import Any

from ..errors import TrainerError

MASKS = re.compile(r"(\.|^)(attn|attention|self_attention)\.(bias|masked_bias)$|rotary_emb\.inv_freq$")
"""Constants that old files hold beside the weights."""


def check_loaded(model: Any, found: Mapping[str, Any], tied: bool) -> None:
    """`found` is what transformers says of the loading, `tied` what the base's description says of its head."""
    shapes = {name: (tuple(theirs), tuple(ours)) for name, theirs, ours in found["mismatched_keys"]}
    missing = sorted(set(found["missing_keys"]) - set(shapes))
    if missing:
        raise refusal(f"its file has no tensor {listed(missing)}, which transformers would fill at random")
    if shapes:
        name, (theirs, ours) = min(shapes.items())
        raise refusal(f'tensor "{name}" has the shape {list(theirs)}, and config.json asks for {list(ours)}')
    unused = sorted(name for name in found["unexpected_keys"] if not MASKS.search(name))
    if unused:
        raise refusal(f"its file has a tensor {listed(unused)} that a model of its config.json does not read")
    if tied != is_tied(model):
        raise refusal(
            "config.json ties the head to the embedding, and the file has another head"
            if tied
            else "its head is tied to the embedding, against its description",
            "Set tie_word_embeddings in config.json to what the weights are",
        )


def is_tied(model: Any) -> bool:
    head, embedding = model.get_output_embeddings(), model.get_input_embeddings()
    return head is not None and embedding is not None and head.weight is embedding.weight


def listed(names: Collection[str]) -> str:
    """The first name, and how many there are."""
    first, *rest = names
    return f'"{first}" (and {len(rest)} more)' if rest else f'"{first}"'


def refusal(reason: str, hint: str = "Download the base again, or pass the folder it was saved to") -> TrainerError:
    return TrainerError("unsupported_base", f"Cannot use this base: {reason}", hint)
