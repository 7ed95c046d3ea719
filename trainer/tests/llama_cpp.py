"""llama.cpp as a judge: what a GGUF file says when an inference engine that is not ours loads it."""

import json
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np


class LlamaCpp:
    """A loaded file. Key and value caches are fp32, so that the file's own exactness shows."""

    def __init__(self, path: Path, context: int = 512):
        import xllamacpp

        params = xllamacpp.CommonParams()
        params.model.path = str(path)
        params.n_ctx = context
        params.n_parallel = 1
        params.cpuparams.n_threads = 2
        params.cpuparams_batch.n_threads = 2
        params.cache_type_k = xllamacpp.ggml_type.GGML_TYPE_F32
        params.cache_type_v = xllamacpp.ggml_type.GGML_TYPE_F32
        params.flash_attn_type = xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED
        params.verbosity = -1
        params.warmup = False
        self.server = xllamacpp.Server(params)
        self._letter = self.tokenize("a")[-1]

    def tokenize(self, text: str, add_special: bool = False) -> list[int]:
        body = {"content": text, "add_special": add_special, "parse_special": True}
        return self._post("/tokenize", body)["tokens"]

    def apply_template(self, messages: list[dict[str, str]]) -> str:
        """The prompt the file's own chat template makes."""
        return self._post("/apply-template", {"messages": messages})["prompt"]

    def log_probs(self, tokens: list[int], vocabulary: int) -> np.ndarray:
        """Log-probabilities of the token after `tokens`, by id."""
        # A token that is a piece of a character is held back together with its figures, so a letter is forced. The
        # figures are those of the model, before any bias.
        body = {"prompt": tokens, "n_predict": 1, "n_probs": vocabulary, "logit_bias": [[self._letter, 1000.0]]}
        answer = self._post("/completion", body | {"temperature": 0, "cache_prompt": False})
        found = np.full(vocabulary, np.nan)
        for entry in answer["completion_probabilities"][0]["top_logprobs"]:
            found[entry["id"]] = entry["logprob"]
        return found

    def answer(self, prompt: str | list[int], tokens: int, stop: list[str] | None = None) -> str:
        """The greedy continuation, without the repeat penalty servers may have by default."""
        body = {"prompt": prompt, "n_predict": tokens, "temperature": 0, "repeat_penalty": 1.0, "stop": stop or []}
        return self.server.handle_completions(body)["choices"][0]["text"]

    def chat(self, messages: list[dict[str, str]], tokens: int) -> str:
        body = {"messages": messages, "max_tokens": tokens, "temperature": 0, "repeat_penalty": 1.0}
        return self.server.handle_chat_completions(body)["choices"][0]["message"]["content"]

    def _post(self, path: str, body: dict[str, Any]) -> Any:
        request = urllib.request.Request(
            self.server.listening_address + path, json.dumps(body).encode(), {"content-type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=60) as reply:
            return json.loads(reply.read())


def hf_log_probs(model: Any, tokens: list[int]) -> np.ndarray:
    """The same from transformers."""
    import torch

    with torch.no_grad():
        logits = model(torch.tensor([tokens])).logits[0, -1]
    return torch.log_softmax(logits.double(), -1).numpy()
