"""What a trained model computes on a few rows: hidden states, and samples to compare an exported file with."""

import numpy as np
import torch

from ..data.prepared import Prepared
from ..methods import Method
from ..training.compute import Way, hidden_states
from ..training.session import Session
from .export_check import Sample

TRAIN_ROWS, HELD_OUT_ROWS = 128, 64
"""Rows looked at, evenly spaced: enough positions to tell, at a fraction of an epoch's time."""
SAMPLES, LONGEST = 4, 128
"""Rows looked at, and their first tokens: enough to tell a wrong tensor, cheap on every machine."""


def final_states(session: Session, method: Method, way: Way) -> tuple[torch.Tensor, torch.Tensor]:
    """Of training rows and of held-out rows, at every position: [positions, hidden] in fp32."""
    held_out = session.held_out.prepared if session.held_out else None
    tables = ((session.rows, TRAIN_ROWS), (held_out, HELD_OUT_ROWS))
    with way.on(method.causal), torch.no_grad():
        train, rest = (
            states_of(session, method, table, spaced(len(table), count), way) if table else None
            for table, count in tables
        )
    return train, rest if rest is not None else train[:0]


def states_of(session: Session, method: Method, table: Prepared, rows: np.ndarray, way: Way) -> torch.Tensor:
    found, device = [], torch.device(session.environment.device)
    for places in way.batches(table.lengths(rows), session.job.train.micro_tokens):
        session.stop.check()
        batch = [table.row(row) for row in rows[places]]
        found.append(hidden_states(method, batch, way, device).float().cpu())
    return torch.cat(found)


def spaced(total: int, count: int) -> np.ndarray:
    return np.unique(np.linspace(0, total - 1, min(total, count)).round().astype(int))


@torch.inference_mode()
def trained_samples(session: Session, method: Method) -> list[Sample]:
    """Of held-out rows where there are any. Training is over: the model stays without dropout."""
    table = session.held_out.prepared if session.held_out else session.rows
    past, soft = method.past(), session.base.info["vocab"]
    ahead = range(soft, soft + method.prefix_length)
    found = []
    method.model.eval()
    for index in spaced(len(table), SAMPLES):
        session.stop.check()
        tokens = table.row(index)[0][:LONGEST].astype(np.int64)
        ids = torch.from_numpy(tokens)[None].to(method.causal.device)
        cache = past and past.cache(method.causal)
        logits = method.model(input_ids=ids, past_key_values=cache, use_cache=cache is not None).logits[0, -1]
        found.append(Sample([*ahead, *tokens.tolist()], torch.log_softmax(logits.double(), -1).cpu().numpy()))
    return found
