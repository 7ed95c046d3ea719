"""Whether a way of computing rows gives what the model itself gives for them."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import numpy as np
import torch

from ..data.prepared import Prepared
from ..errors import TrainerError, Unfit
from ..eval.decode import Row as Answer
from ..eval.decode import Way as Answers
from ..eval.decode import decode
from ..job.failures import out_of_memory, sentence
from ..methods import Method
from .compute import Row, Way, pad, predictions, row_losses
from .head import own_logits

SIZES = (12, 9)
"""Tokens of the rows that are tried: the second is shorter, so that padding and what leaks from the first show."""
SHARED = 4
"""What they begin with together, which decoding reads once."""
EXACT = 1e-4
"""How far log-probabilities may lie from the model's own in fp32: ten times what order of summation changes."""
ROUNDED = 0.1
"""The same, as the mean over all tokens, where each product is rounded to 8 bits."""


class Check:
    """Rows, what the model itself says of them, and whether a way of computing says the same."""

    def __init__(self, method: Method, rows: list[Row]):
        self.method, self.causal, self.rows = method, method.causal, rows
        self.device = method.causal.device
        self.exact = next(method.causal.parameters()).dtype == torch.float32
        with self.answering():
            self.truth = self.own()

    @contextmanager
    def answering(self) -> Iterator[None]:
        """Without dropout and gradients."""
        training = self.method.model.training
        self.method.model.eval()
        try:
            with torch.no_grad():
                yield
        finally:
            self.method.model.train(training)

    def own(self) -> list[torch.Tensor]:
        """Log-probabilities that the whole model gives after each token of a row, each row alone."""
        try:
            logits = [self.forward(tokens) for tokens, _ in self.rows]
        except Exception as error:
            if isinstance(error, TrainerError) or out_of_memory(error):
                raise
            raise self.refusal(f"it cannot read a row: {sentence(error)}") from error
        if not all(bool(torch.isfinite(found).all()) for found in logits):
            raise self.refusal("its logits are not finite numbers")
        return [found.float().log_softmax(-1) for found in logits]

    def forward(self, tokens: np.ndarray) -> torch.Tensor:
        ids = torch.from_numpy(tokens.astype(np.int64))[None].to(self.device)
        return self.causal(**self.method.arguments(ids), use_cache=False).logits[0, -len(tokens) :]

    def trained(self, way: Way) -> str | None:
        """Why a way of training is not taken; None where it is right."""
        return self.verdict(lambda: self.losses_differ(way) or self.rounded(way) or self.learns(way))

    def losses_differ(self, way: Way) -> str | None:
        return self.differs(zip(self.losses(way, self.rows), self.expected(), strict=True))

    def losses(self, way: Way, rows: list[Row]) -> list[torch.Tensor]:
        found: dict[int, torch.Tensor] = {}
        with way.on(self.causal):
            for batch in way.batches([len(tokens) for tokens, _ in rows], 1 << 30):
                losses, numbers = row_losses(self.method, [rows[place] for place in batch], way, self.device)
                found |= zip(batch, losses.float().split(np.bincount(numbers).tolist()), strict=True)
        return [found[place] for place in range(len(rows))]

    def rounded(self, way: Way) -> str | None:
        """What rounding hides in the losses: a small leak from row to row, a small change of logits. Both are the
        same to the last bit when they are computed twice."""
        if self.exact:
            return None
        return (self.leaks(way) if way.rows == "packed" else None) or self.changes_logits(way)

    def leaks(self, way: Way) -> str | None:
        """Whether a row's losses depend on the row before it."""
        (tokens, labels), *rest = self.rows
        twice = [self.losses(way, [first, *rest])[1:] for first in (self.rows[0], (tokens[::-1].copy(), labels))]
        worst = max((a - b).abs().max().item() for a, b in zip(*twice, strict=True))
        return None if worst <= EXACT else f"a row's losses depend on the row before it ({worst:.2g})"

    def changes_logits(self, way: Way) -> str | None:
        """Whether the model does more than multiply by its head's weight."""
        if way.head != "fast":
            return None
        ids = torch.from_numpy(self.rows[1][0].astype(np.int64))[None].to(self.device)
        states = self.causal.get_decoder()(**self.method.arguments(ids), use_cache=False).last_hidden_state[0]
        fast, own = self.causal.get_output_embeddings()(states), own_logits(self.causal, states)
        worst = (fast.float() - own.float()).abs().max().item()
        return None if worst <= EXACT else f"the model changes its logits ({worst:.2g})"

    def learns(self, way: Way) -> None:
        """Raises where the way back fails, or leads past a part that is to be trained."""
        named = self.method.parameters()
        with way.on(self.causal), torch.enable_grad():
            losses, _ = row_losses(self.method, [self.rows[1]], way, self.device)
            gradients = torch.autograd.grad(losses.sum(), list(named.values()), allow_unused=True)
        unused = [name for name, gradient in zip(named, gradients, strict=True) if gradient is None]
        if unused and self.method.adds:
            self.method.refuse_unused(unused)

    def scored(self, way: Way) -> str | None:
        def attempt() -> str | None:
            found = []
            past = self.method.past()
            for batch in [self.rows] if way.rows == "padded" else [[row] for row in self.rows]:
                padded = pad(batch, self.device)
                before = {"past_key_values": past.cache(self.causal, len(batch))} if past else {}
                losses, _ = predictions(self.causal, {"input_ids": padded.ids} | before, padded, way.head)
                found += losses.split(np.bincount(padded.rows).tolist())
            different = self.differs(zip(found, self.expected(), strict=True))
            return different or (None if self.exact else self.changes_logits(way))

        return self.verdict(attempt)

    def answered(self, way: Answers) -> str | None:
        """Reads rows to their ends the way answers are computed, each token as if it had been the most likely."""

        def attempt() -> str | None:
            found, expected = [], []
            answers = [Answer(tokens[:start].tolist(), limit=end - start) for start, end, tokens in self.prompts()]

            def choose(rows, logits) -> list[int]:
                numbers = [next(i for i, answer in enumerate(answers) if answer is row) for row in rows]
                places = [len(row.tokens) for row in rows]
                wanted = [int(self.rows[i][0][place]) for i, place in zip(numbers, places, strict=True)]
                for i, place, token, row in zip(numbers, places, wanted, logits.float().log_softmax(-1), strict=True):
                    found.append(row[token])
                    expected.append(self.truth[i][place - 1, token])
                return wanted

            for batch in [answers] if way.together else [[answer] for answer in answers]:
                decode(self.causal, batch, set(), self.method.past(), lambda _: None, way, choose)
            return self.differs([(torch.stack(found), torch.stack(expected))])

        return self.verdict(attempt)

    def prompts(self) -> Iterator[tuple[int, int, np.ndarray]]:
        """Where the answers of the rows begin and end: some end earlier."""
        for index, (tokens, _) in enumerate(self.rows):
            end = len(tokens) - index
            yield end - 4 + index, end, tokens

    def looks_back_only(self) -> None:
        """Raises where what the model says of a token depends on later ones: then there is nothing to predict."""
        tokens, _ = self.rows[0]
        with self.answering():
            half = self.forward(tokens[: len(tokens) // 2]).float().log_softmax(-1)
        if self.differs([(half, self.truth[0][: len(half)])]):
            raise self.refusal("it sees the tokens that it has to predict, so it is not a causal language model")

    def expected(self) -> list[torch.Tensor]:
        return [
            -truth[:-1].gather(1, torch.from_numpy(tokens[1:].astype(np.int64)).to(self.device)[:, None])[:, 0]
            for truth, (tokens, _) in zip(self.truth, self.rows, strict=True)
        ]

    def differs(self, pairs: Iterable[tuple[torch.Tensor, torch.Tensor]]) -> str | None:
        apart = torch.cat([(found - expected).abs().flatten() for found, expected in pairs])
        distance, bound = (apart.max().item(), EXACT) if self.exact else (apart.mean().item(), ROUNDED)
        return None if distance <= bound else f"it would change losses by {distance:.2g}"

    def verdict(self, attempt: Callable[[], str | None]) -> str | None:
        try:
            with self.answering():
                return attempt()
        except Unfit as reason:
            return str(reason)
        except Exception as error:
            if isinstance(error, TrainerError) or out_of_memory(error):
                raise
            return sentence(error)

    def refusal(self, reason: str) -> TrainerError:
        arch = self.causal.config.model_type
        if self.method.prefix_length:
            message = f'Cannot train a prefix on a base of type "{arch}": {reason}'
            return TrainerError("bad_method", message, "Take method.kind: lora")
        message = f'Cannot train a base of type "{arch}": {reason}'
        return TrainerError("unsupported_base", message, "Use another method.kind, or a base of another architecture")


def check_rows(rows: Prepared, longest: int, windows: list[int]) -> list[Row]:
    """Two short rows from the data and, where a row of the job is longer than a window, one that is too."""
    taken = [rows.row(index)[0] for index in range(min(len(rows), 8))]
    first, second = (np.resize(tokens, size) for tokens, size in zip((taken[0], taken[-1]), SIZES, strict=True))
    second[:SHARED] = first[:SHARED]
    found = [first, second]
    beyond = [min(window + SIZES[1], longest) for window in windows if window < longest]
    if beyond and max(beyond) > SIZES[0]:
        found.append(np.resize(np.concatenate(taken), max(beyond)))
    return [(tokens, np.ones(len(tokens), np.uint8)) for tokens in found]
