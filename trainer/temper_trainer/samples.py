"""What the trained model says on a few rows, for comparison with what was exported of it."""

import numpy as np
import torch

from .export_check import Sample
from .methods import Method
from .session import Session
from .states import spaced

ROWS, LONGEST = 4, 128
"""Rows looked at, and their first tokens: enough to tell a wrong tensor, cheap on every machine."""


@torch.inference_mode()
def trained_samples(session: Session, method: Method) -> list[Sample]:
    """Of held-out rows where there are any. Training is over: the model stays without dropout."""
    table = session.held_out.prepared if session.held_out else session.rows
    past, soft = method.past(), session.base.info["vocab"]
    ahead = range(soft, soft + method.ahead)
    found = []
    method.model.eval()
    for index in spaced(len(table), ROWS):
        session.stop.check()
        tokens = table.row(index)[0][:LONGEST].astype(np.int64)
        ids = torch.from_numpy(tokens)[None].to(method.causal.device)
        cache = past and past.cache(method.causal)
        logits = method.model(input_ids=ids, past_key_values=cache, use_cache=cache is not None).logits[0, -1]
        found.append(Sample([*ahead, *tokens.tolist()], torch.log_softmax(logits.double(), -1).cpu().numpy()))
    return found
