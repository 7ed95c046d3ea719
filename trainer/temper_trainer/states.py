"""Final hidden states of a trained model on its examples."""

import numpy as np
import torch

from .compute import Way, hidden_states
from .methods import Method
from .prepared import Prepared
from .session import Session

TRAIN_ROWS, HELD_OUT_ROWS = 128, 64
"""Rows looked at, evenly spaced: enough positions to tell, at a fraction of an epoch's time."""


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
