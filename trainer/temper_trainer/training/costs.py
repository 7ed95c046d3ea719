"""What a training computes and keeps in memory, from the shape of the base. `src/plan/` has the same formulas; the
vectors in tests/fixtures/training_costs.json belong to both."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..job.settings import Adapter, LowRank, Method, Prefix

ATTENTION = ("q_proj", "k_proj", "v_proj", "o_proj")
LOGITS_BYTES = 64 << 20
"""Of logits that exist at a time: CHUNK_BYTES of the head."""
TRAINED_BYTES = 16
"""Of each trained number: itself, its gradient and two moments, in fp32."""
MOMENT_BYTES = 2 * (1 + 4 / 256)
"""Of both moments in 8 bits, with a scale for 256."""


@dataclass(frozen=True)
class Shape:
    """Of a decoder-only transformer."""

    layers: int
    hidden: int
    feed_forward: int
    heads: int
    kv_heads: int
    head_dim: int
    vocab: int

    @classmethod
    def of(cls, base: Mapping[str, Any]) -> "Shape":
        """From `base` of tokens.json, with what is assumed where an architecture has no such figure."""
        hidden, heads = base["hidden"], base["heads"] or 1
        return cls(
            layers=base["layers"],
            hidden=hidden,
            feed_forward=base["feed_forward"] or 4 * hidden,
            heads=heads,
            kv_heads=base["kv_heads"] or heads,
            head_dim=base["head_dim"] or hidden // heads,
            vocab=base["vocab"],
        )

    @property
    def query(self) -> int:
        return self.heads * self.head_dim

    @property
    def key(self) -> int:
        return self.kv_heads * self.head_dim

    def linears(self) -> dict[str, tuple[int, int]]:
        """Inputs and outputs of the linear layers of one block, by their usual names."""
        return {
            "q_proj": (self.hidden, self.query),
            "k_proj": (self.hidden, self.key),
            "v_proj": (self.hidden, self.key),
            "o_proj": (self.query, self.hidden),
            "gate_proj": (self.hidden, self.feed_forward),
            "up_proj": (self.hidden, self.feed_forward),
            "down_proj": (self.feed_forward, self.hidden),
        }

    def targeted(self, method: LowRank) -> list[tuple[int, int]]:
        """Those that a low-rank method updates."""
        wanted = {"all-linear": list(self.linears()), "attention": list(ATTENTION)}.get(str(method.target), method.target)
        return [size for name, size in self.linears().items() if name in wanted]


@dataclass(frozen=True)
class Work:
    """What a training has read."""

    tokens: int
    labelled: int
    """Tokens that a loss was taken on: only they meet the head."""
    pairs: int
    """Of tokens and what each attends to: n (n + 1) / 2 for a row of n tokens, and a prefix for every token."""


def training_flops(shape: Shape, method: Method, work: Work) -> int:
    """
    Operations that the training needs, as in PaLM (arXiv 2204.02311, appendix B): 2 for each weight and token forward,
    2 for the gradient of the inputs, and 2 for the gradient of the weight where it is trained. A frozen base thus
    takes 2/3 of what `full` takes. Attention takes 4 for each pair, layer and value of a query forward, and twice that
    on the way back. What is computed again (checkpointing, the logits of a trained head) does not count.
    """
    full = method.kind == "full"
    linear = shape.layers * sum(inputs * outputs for inputs, outputs in shape.linears().values())
    weights = linear * work.tokens + shape.vocab * shape.hidden * work.labelled
    attention = 12 * shape.layers * shape.query * work.pairs
    return (6 if full else 4) * weights + 6 * added_weights(shape, method) * work.tokens + attention


def added_weights(shape: Shape, method: Method) -> int:
    """Trained weights that each token is multiplied by beside those of the base."""
    if isinstance(method, LowRank):
        return shape.layers * sum(method.rank * (inputs + outputs) for inputs, outputs in shape.targeted(method))
    return shape.layers * 3 * method.size * shape.hidden if isinstance(method, Adapter) else 0


def trained_numbers(shape: Shape, method: Method, parameters: int) -> int:
    if method.kind == "full":
        return parameters
    if isinstance(method, Prefix):
        return method.length * (shape.hidden if method.placement == "input" else shape.layers * 2 * shape.key)
    return added_weights(shape, method)


@dataclass(frozen=True)
class Batch:
    """What is computed at once."""

    tokens: int
    labelled: int
    value_bytes: int
    """Of a number while computing."""


def activation_bytes(shape: Shape, method: Method, batch: Batch, checkpointing: bool) -> int:
    """
    What autograd keeps of a batch: in each block the inputs of norms, linears, attention and activation, and for LoRA
    the dropped-out input of each target. With checkpointing one hidden state for each layer, and all of one block.
    """
    block = 6 * shape.hidden + 3 * (shape.query + 2 * shape.key) + 4 * shape.feed_forward
    if isinstance(method, LowRank) and method.dropout > 0:
        block += sum(inputs for inputs, _ in shape.targeted(method))
    kept = shape.layers * shape.hidden + block if checkpointing else shape.layers * block
    return batch.tokens * kept * batch.value_bytes


def logits_bytes(shape: Shape, batch: Batch) -> int:
    row = 4 * shape.vocab
    return 3 * min(batch.labelled * row, max(row, LOGITS_BYTES))


def trained_bytes(shape: Shape, method: Method, parameters: int, optimizer: str) -> float:
    """What is trained, with its gradients and moments. Embeddings keep moments in fp32."""
    numbers = trained_numbers(shape, method, parameters)
    coarse = max(0, numbers - shape.vocab * shape.hidden) if optimizer == "adamw_8bit" else 0
    return TRAINED_BYTES * numbers - (8 - MOMENT_BYTES) * coarse
