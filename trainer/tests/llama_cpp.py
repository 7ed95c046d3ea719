"""llama.cpp as a judge: what a GGUF file says when an inference engine that is not ours loads it."""

from pathlib import Path
from typing import Any

import numpy as np

from temper_trainer.export.llama_cpp import next_token, open_server, post


class LlamaCpp:
    """A loaded file."""

    def __init__(self, path: Path, context: int = 512):
        self.server = open_server(path, context)

    def tokenize(self, text: str, add_special: bool = False) -> list[int]:
        body = {"content": text, "add_special": add_special, "parse_special": True}
        return self._post("/tokenize", body)["tokens"]

    def apply_template(self, messages: list[dict[str, str]]) -> str:
        """The prompt the file's own chat template makes."""
        return self._post("/apply-template", {"messages": messages})["prompt"]

    def log_probs(self, tokens: list[int], vocabulary: int) -> np.ndarray:
        """Log-probabilities of the token after `tokens`, by id."""
        found = np.full(vocabulary, np.nan)
        for token, value in next_token(self.server, tokens, vocabulary):
            found[token] = value
        return found

    def answer(self, prompt: str | list[int], tokens: int, stop: list[str] | None = None) -> str:
        """The greedy continuation, without the repeat penalty servers may have by default."""
        body = {"prompt": prompt, "n_predict": tokens, "temperature": 0, "repeat_penalty": 1.0, "stop": stop or []}
        return self.server.handle_completions(body)["choices"][0]["text"]

    def chat(self, messages: list[dict[str, str]], tokens: int) -> str:
        body = {"messages": messages, "max_tokens": tokens, "temperature": 0, "repeat_penalty": 1.0}
        return self.server.handle_chat_completions(body)["choices"][0]["message"]["content"]

    def _post(self, path: str, body: dict[str, Any]) -> Any:
        return post(self.server, path, body)


def hf_log_probs(model: Any, tokens: list[int]) -> np.ndarray:
    """The same from transformers."""
    import torch

    with torch.no_grad():
        logits = model(torch.tensor([tokens])).logits[0, -1]
    return torch.log_softmax(logits.double(), -1).numpy()
