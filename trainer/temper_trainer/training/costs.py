"""What a training computes and keeps in memory, from the shape of the base. `src/plan/` has the same formulas; the
vectors in tests/fixtures/training_costs.json belong to both."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..job.settings import Adapter, LowRank, Method, Prefix

PARTS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
ATTENTION = PARTS[:4]
INPUTS = (PARTS[:3], PARTS[3:4], PARTS[4:6], PARTS[6:])
"""Layers that read the same."""
TRAINED_BYTES = 16
"""Of each trained number: itself, its gradient and two moments, in fp32."""
FRAGMENTATION = 1.05
"""What allocators lose between blocks of different size."""
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
        inner, outer = (self.hidden, self.query), (self.hidden, self.key)
        wide = (self.hidden, self.feed_forward)
        return dict(zip(PARTS, (inner, outer, outer, inner[::-1], wide, wide, wide[::-1]), strict=True))

    def targeted(self, method: LowRank) -> list[tuple[int, int]]:
        """Those that a low-rank method updates."""
        return [size for name, size in self.linears().items() if name in targets(method)]


def targets(method: LowRank) -> Sequence[str]:
    return {"all-linear": PARTS, "attention": ATTENTION}.get(str(method.target), method.target)


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
    weights = linear_weights(shape) * work.tokens + shape.vocab * shape.hidden * work.labelled
    attention = 12 * shape.layers * shape.query * work.pairs
    return (6 if full else 4) * weights + 6 * added_weights(shape, method) * work.tokens + attention


def linear_weights(shape: Shape) -> int:
    """Of the base, its head left out."""
    return shape.layers * sum(inputs * outputs for inputs, outputs in shape.linears().values())


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
    gpu: bool = False


def activation_bytes(shape: Shape, method: Method, batch: Batch, checkpointing: bool) -> float:
    """What the layers keep of a batch and what the way back works on. With checkpointing the layers keep one hidden
    state each, and one of them everything."""
    size = batch.value_bytes
    layer = layer_bytes(shape, method, batch)
    kept = shape.layers * shape.hidden * size + layer if checkpointing else shape.layers * layer
    way_back = (6 * shape.feed_forward + 6 * shape.hidden) * size
    return batch.tokens * FRAGMENTATION * (kept + way_back)


def layer_bytes(shape: Shape, method: Method, batch: Batch) -> int:
    """What autograd keeps of one token in one decoder layer: the fused layers' `save_for_backward`, and attention."""
    size = batch.value_bytes
    # What enters the layer and what enters its MLP; in fp32 where the weights are
    states = 2 * shape.hidden * (4 if method.kind == "full" else size)
    # The kernel for rows of any length, which GPUs have for halves, reads keys and values as they are
    repeated = 0 if batch.gpu and size < 4 else 2 * shape.query
    attention = (2 * shape.query + 2 * shape.key + repeated) * size
    return states + attention + 2 * shape.feed_forward * size + update_bytes(shape, method, size)


def update_bytes(shape: Shape, method: Method, size: int) -> int:
    """What the trained part itself keeps of one token in one layer. Products of one input share a dropout mask, a byte
    for each value."""
    if isinstance(method, Adapter):
        return 2 * method.size * size
    if not isinstance(method, LowRank):
        return 0
    linears, wanted = shape.linears(), targets(method)
    shared = [any(name in wanted for name in names) * linears[names[0]][0] for names in INPUTS]
    return (sum(shared) if method.dropout else 0) + sum(name in wanted for name in PARTS) * method.rank * size


def head_bytes(shape: Shape, method: Method, batch: Batch) -> int:
    """Logits of some positions at a time, and the gradient of a head that is trained."""
    row = 4 * shape.vocab
    trained = row * shape.hidden if method.kind == "full" else 0
    return 3 * min(batch.labelled * row, max(row, logits_bytes(batch.gpu))) + trained


def logits_bytes(gpu: bool) -> int:
    """Of logits in fp32 that exist at the same time. A GPU reads the whole head for each chunk of them: few rows would
    leave it waiting for its memory."""
    return (512 if gpu else 64) << 20


def trained_bytes(shape: Shape, method: Method, parameters: int, optimizer: str) -> float:
    """What is trained, with its gradients and moments. Embeddings keep moments in fp32."""
    numbers = trained_numbers(shape, method, parameters)
    coarse = max(0, numbers - shape.vocab * shape.hidden) if optimizer == "adamw_8bit" else 0
    return TRAINED_BYTES * numbers - (8 - MOMENT_BYTES) * coarse
