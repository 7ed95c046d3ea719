"""Batched greedy decoding with a key/value cache."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

import torch
from transformers import DynamicCache

from ..bases.context import context_of, unusual_layers, windows_of
from ..errors import Unfit
from ..training.past import Past

Ids = Sequence[int]
PAD = 0


@dataclass(frozen=True)
class Way:
    """How answers are computed. All ways give the same tokens where they work, the first ones faster."""

    together: bool = True
    """Rows side by side, what they begin with read once."""
    cached: bool = True
    """Each token read once."""
    turn: int | None = None
    """Rows longer than this are read with other frequencies from their first token on."""

    @property
    def name(self) -> str:
        """As in result.json."""
        return "batched" if self.together else "alone" if self.cached else "uncached"

    def __str__(self) -> str:
        return {"batched": "in batches", "alone": "one row at a time", "uncached": "without a cache"}[self.name]


TOGETHER, ALONE, UNCACHED = Way(), Way(together=False), Way(together=False, cached=False)


@dataclass
class Row:
    """A prompt and the answer so far, which may have begun before decoding does."""

    prompt: Ids
    answer: list[int] = field(default_factory=list)
    limit: int = 0

    @property
    def tokens(self) -> list[int]:
        """What the model has been given, the newest token included."""
        return [*self.prompt, *self.answer]

    def finished(self, stop: Collection[int]) -> bool:
        return len(self.answer) >= self.limit or (bool(self.answer) and self.answer[-1] in stop)


def greedy(
    model,
    prompts: Sequence[Ids],
    stop: Collection[int],
    max_new_tokens: int,
    *,
    begun: Sequence[Ids] | None = None,
    past: Past | None = None,
    token_budget: int = 8192,
    progress: Callable[[int], None] | None = None,
    way: Way = TOGETHER,
) -> list[list[int]]:
    """The most likely answer of each prompt, token by token, the stop token included where there is one.

    `begun` holds answer tokens that are already known to be the most likely ones, `past` what stands before every
    prompt. `token_budget` bounds the tokens in the cache of one batch. `progress` takes the number of finished rows
    after every step; what it raises ends it all.
    """
    model = model.get_base_model() if hasattr(model, "get_base_model") else model
    context = context_of(model.config) - (past.length if past else 0)
    starts = begun if begun is not None else [()] * len(prompts)
    rows = [
        Row(prompt, until_stop(start[:max_new_tokens], stop), max(0, min(max_new_tokens, context - len(prompt))))
        for prompt, start in zip(prompts, starts, strict=True)
    ]
    done = sum(row.finished(stop) for row in rows)
    report = progress or (lambda finished: None)
    report(done)
    for batch in plan_batches([row for row in rows if not row.finished(stop)], token_budget if way.together else 0):
        decode(model, batch, stop, past, lambda finished, before=done: report(before + finished), way)
        done += len(batch)
    return [row.answer for row in rows]


def until_stop(tokens: Ids, stop: Collection[int]) -> list[int]:
    """Up to the first stop token, and with it: an expected answer may hold one that decoding would have ended at."""
    end = next((index + 1 for index, token in enumerate(tokens) if token in stop), len(tokens))
    return list(tokens[:end])


def plan_batches(rows: list[Row], token_budget: int) -> list[list[Row]]:
    """Rows of like length together, longest first, so that running out of memory shows at once."""
    batches: list[list[Row]] = []
    largest = 0
    for row in sorted(rows, key=lambda row: len(row.prompt) + len(row.answer), reverse=True):
        size = len(row.prompt) + row.limit
        if not batches or (len(batches[-1]) + 1) * max(largest, size) > token_budget:
            batches.append([])
            largest = 0
        largest = max(largest, size)
        batches[-1].append(row)
    return batches


def common_prefix(sequences: Sequence[Ids]) -> int:
    """Number of leading tokens all sequences share, leaving at least one of each."""
    shortest, longest = min(sequences), max(sequences)
    end = min(len(sequence) for sequence in sequences) - 1
    return next((i for i in range(end) if shortest[i] != longest[i]), max(end, 0))


def most_likely(_rows: Sequence[Row], logits: torch.Tensor) -> list[int]:
    return logits.argmax(-1).tolist()


@torch.inference_mode()
def decode(
    model,
    rows: list[Row],
    stop: Collection[int],
    past: Past | None,
    report: Callable[[int], None],
    way: Way,
    choose: Callable[[Sequence[Row], torch.Tensor], list[int]] = most_likely,
) -> None:
    """Appends to the answers of rows until all are finished. `choose` names the next token of each."""
    if not way.cached:
        return _decode_uncached(model, rows, stop, report, choose)
    cache, mask, logits = _prefill(model, rows, past)
    if len(rows) > 1 and not all(hasattr(layer, "batch_select_indices") for layer in cache.layers):
        raise Unfit("its layers keep a state that cannot be split by row")
    total, active = len(rows), rows
    while True:
        for row, token in zip(active, choose(active, logits), strict=True):
            row.answer.append(token)
        keep = [i for i, row in enumerate(active) if not row.finished(stop)]
        report(total - len(keep))
        if not keep:
            return None
        if len(keep) < len(active):
            index = torch.tensor(keep, device=mask.device)
            cache.batch_select_indices(index)
            mask, active = mask[index], [active[i] for i in keep]
        if way.turn is not None and any(len(row.tokens) == way.turn + 1 for row in active):
            # From here on the model reads the whole row differently: what is kept of it no longer holds
            cache, mask, logits = _prefill(model, active, past)
            continue
        newest = torch.tensor([[row.answer[-1]] for row in active], device=mask.device)
        mask = torch.cat([mask, mask.new_ones(len(active), 1)], dim=1)
        logits = _forward(model, newest, mask, cache)


def _decode_uncached(model, rows, stop, report, choose) -> None:
    """Every token from the whole row again: for models that keep what they have read in a way of their own."""
    for done, row in enumerate(rows):
        while not row.finished(stop):
            logits = model(input_ids=torch.tensor([row.tokens], device=model.device), use_cache=False).logits[:, -1]
            row.answer.extend(choose([row], logits))
            report(done)
    report(len(rows))


def _prefill(model, rows: list[Row], past: Past | None) -> tuple[DynamicCache, torch.Tensor, torch.Tensor]:
    """Fills the cache. What all rows begin with, such as instructions and examples, is computed once."""
    device = model.device
    sequences = [row.tokens for row in rows]
    shared = 0 if windowed(model.config, rows) else common_prefix(sequences)
    cache = past.cache(model) if past else DynamicCache(config=model.config)
    if shared and len(rows) > 1:
        head = torch.tensor([sequences[0][:shared]], device=device)
        model(input_ids=head, past_key_values=cache, use_cache=True, logits_to_keep=1)
    else:
        shared = 0
    ahead = shared + (past.length if past else 0)
    if ahead and len(rows) > 1:
        cache.batch_repeat_interleave(len(rows))
    rests = [sequence[shared:] for sequence in sequences]
    width = max(map(len, rests))
    ids = torch.tensor([[PAD] * (width - len(rest)) + rest for rest in rests], device=device)
    mask = torch.tensor([[1] * ahead + [0] * (width - len(rest)) + [1] * len(rest) for rest in rests], device=device)
    return cache, mask, _forward(model, ids, mask, cache)


def windowed(config, rows: list[Row]) -> bool:
    """A sliding window counts padding, which would stand between the shared part and the rest."""
    longest = max(len(row.prompt) + row.limit for row in rows)
    return bool(unusual_layers(config)) or any(window < longest for window in windows_of(config))


def _forward(model, ids: torch.Tensor, mask: torch.Tensor, cache: DynamicCache) -> torch.Tensor:
    """Logits of the last position. Padding takes no position, so that a row counts as it would alone."""
    positions = (mask.cumsum(-1) - 1).clamp(min=0)[:, -ids.shape[1] :]
    # Without padding the attention needs no mask, and runs faster without.
    visible = None if bool(mask.all()) else mask
    output = model(
        input_ids=ids,
        attention_mask=visible,
        position_ids=positions,
        past_key_values=cache,
        use_cache=True,
        logits_to_keep=1,
    )
    return output.logits[:, -1]
