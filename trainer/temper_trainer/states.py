"""Final hidden states of a trained model on its examples."""

import numpy as np
import torch

from .batches import micro_batches
from .methods import Method
from .packing import pack, packed_rows
from .prepared import Prepared
from .session import Session

TRAIN_ROWS, HELD_OUT_ROWS = 128, 64
"""Rows looked at, evenly spaced: enough positions to tell, at a fraction of an epoch's time."""


def final_states(session: Session, method: Method) -> tuple[torch.Tensor, torch.Tensor]:
    """Of training rows and of held-out rows, at every position: [positions, hidden] in fp32."""
    device = torch.device(session.environment.device)
    held_out = session.held_out.prepared if session.held_out else None
    tables = ((session.rows, TRAIN_ROWS), (held_out, HELD_OUT_ROWS))
    with packed_rows(method.causal), torch.no_grad():
        train, rest = (
            states_of(session, method, table, spaced(len(table), count), device) if table else None
            for table, count in tables
        )
    return train, rest if rest is not None else train[:0]


def states_of(session: Session, method: Method, table: Prepared, rows: np.ndarray, device) -> torch.Tensor:
    found = []
    for places in micro_batches(table.lengths(rows), session.job.train.micro_tokens):
        session.stop.check()
        batch = pack([table.row(row) for row in rows[places]], device, method.ahead)
        found.append(method.hidden(batch).float().cpu())
    return torch.cat(found)


def spaced(total: int, count: int) -> np.ndarray:
    return np.unique(np.linspace(0, total - 1, min(total, count)).round().astype(int))
