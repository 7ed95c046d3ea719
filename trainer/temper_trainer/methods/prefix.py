"""Learnable positions before every prompt: embeddings, or keys and values of every layer."""

from itertools import cycle, islice

import torch

from ..errors import TrainerError
from ..job.settings import Prefix
from ..training.past import refuse_windows
from ..training.random_state import RandomState
from . import Encode, Method
from .prefix_input import InputPrefix
from .prefix_layers import LayersPrefix

PLACEMENTS = {"input": InputPrefix, "layers": LayersPrefix}


def attach(config: Prefix, model, random: RandomState, encode: Encode) -> Method:
    refuse_windows(model.config)
    model.requires_grad_(False)
    ids = first_ids(config, model.get_input_embeddings().num_embeddings, random, encode)
    return PLACEMENTS[config.placement](config, model, torch.tensor(ids, device=model.device))


def first_ids(config: Prefix, vocabulary: int, random: RandomState, encode: Encode) -> list[int]:
    """Tokens the prefix starts as: near real text it learns far faster than from noise."""
    ids = random.choice(vocabulary, config.length) if config.init_text is None else encode(config.init_text)
    if not ids:
        raise TrainerError("bad_method", "Cannot start the prefix from method.init_text: it has no tokens")
    return list(islice(cycle(ids), config.length))
