"""Prompt tuning (arXiv 2104.08691): learnable embeddings before everything, the BOS token included."""

from collections.abc import Iterator
from pathlib import Path

import torch
from peft import PromptTuningConfig

from ..data.added_tokens import soft_tokens
from ..export.merge import AddedTokens, Merge
from ..job.settings import Prefix
from ..training.packing import Pack, hidden_states_behind
from ..training.past import Past, past_of, refusal
from . import Method
from .output_rows import unlikely_rows
from .peft_prompt import save_prompt


@torch.no_grad()
def check_embedding(model, ids: torch.Tensor) -> None:
    """Raises where a token is read as something else than its row: a trained row would then be read so too."""
    embedding = model.get_input_embeddings()
    if not torch.equal(embedding(ids), embedding.weight[ids]):
        raise refusal("it transforms embeddings before the first layer")


class InputPrefix(Method):
    artifact = "adapter"
    adds = True

    def __init__(self, config: Prefix, model, ids: torch.Tensor):
        self.model = self.causal = model
        self.prefix_length = config.length
        check_embedding(model, ids)
        self.embeddings = torch.nn.Parameter(model.get_input_embeddings().weight[ids].detach().float().clone())

    def parameters(self) -> dict[str, torch.nn.Parameter]:
        return {"embeddings": self.embeddings}

    def values(self) -> torch.Tensor:
        """The embeddings in the type of the base."""
        return self.embeddings.to(self.causal.get_input_embeddings().weight.dtype)

    def hidden(self, batch: Pack) -> torch.Tensor:
        return hidden_states_behind(self.causal, batch, self.values())

    def arguments(self, ids: torch.Tensor) -> dict[str, torch.Tensor]:
        before = self.values().expand(len(ids), -1, -1)
        return {"inputs_embeds": torch.cat([before, self.causal.get_input_embeddings()(ids)], dim=1)}

    def past(self) -> Past:
        return past_of(self.causal, inputs_embeds=self.values()[None])

    def save(self, folder: Path) -> None:
        kind = PromptTuningConfig(num_virtual_tokens=self.prefix_length, token_dim=self.embeddings.shape[1])
        save_prompt(folder, kind, self.causal.config.get_text_config(), self.embeddings)

    def merged(self) -> Iterator[tuple[str, torch.Tensor]]:
        """No tensor of the base changes: its vocabulary grows."""
        return iter(())

    def merge(self, states) -> Merge:
        rows, facts = unlikely_rows(self.causal, *states(), self.prefix_length)
        embeddings = self.embeddings.detach().cpu().numpy()
        return Merge(
            self.merged,
            config={"vocab_size": self.causal.config.vocab_size + self.prefix_length, "tie_word_embeddings": False},
            added_tokens=AddedTokens(soft_tokens(self.prefix_length), embeddings, rows),
            facts=facts,
        )
