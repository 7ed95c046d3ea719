"""How many eval rows of a finished run a GGUF file answers exactly as the trainer did, in llama.cpp.

Usage: judge.py RUN_DIR: prints {"rows", "equal", "correct", "edges"}. The prompts are those of the prepared rows, token
by token. `edges`: of each row that llama.cpp or Ollama answers otherwise, how far the file's log-probabilities, in nats,
put the trainer's token behind another at the worst place of its answer: 0 where they agree, next to 0 on an edge.
"""

import json
import sys
from pathlib import Path

import numpy as np
from gguf import GGUFReader
from llama_cpp import LlamaCpp
from safetensors.numpy import load_file

job = Path(sys.argv[1]) / "job"
held_out = load_file(job / "prepared" / "eval.safetensors")
tokens, labels, offsets = held_out["tokens"], held_out["labels"], held_out["offsets"]
description = json.loads((job / "job.json").read_text())
settings, method = description["evaluate"], description["method"]
stop = json.loads((job / "tokens.json").read_text())["template"]["stop"]
predictions = [json.loads(line) for line in (job / "artifacts" / "predictions.jsonl").read_text().splitlines()]
model = LlamaCpp(job / "artifacts" / "model.gguf")
# A prefix stands before every prompt, as tokens of its own.
soft = [f"<|soft_{index:03}|>" for index in range(method["length"])] if method["kind"] == "prefix" else []
ahead = model.tokenize("".join(soft)) if soft else []
assert len(ahead) == len(soft), "the file does not know the tokens of its prefix"
vocabulary = len(GGUFReader(job / "artifacts" / "model.gguf").fields["tokenizer.ggml.tokens"].data)
served_file = job.parent / "steps" / "5-monitor" / "served.jsonl"
served = [json.loads(line) for line in served_file.read_text().splitlines()] if served_file.exists() else []


def edge(prompt: list[int], answer: str) -> float:
    """How far the trainer's answer lies behind the file's own, at the worst of its tokens."""
    worst = 0.0
    ids = model.tokenize(answer)
    for n, token in enumerate(ids):
        found = model.log_probs(prompt + ids[:n], vocabulary)
        worst = max(worst, float(np.nanmax(found) - found[token]))
    return worst


equal = correct = 0
edges = {}
for i, prediction in enumerate(predictions):
    row = slice(offsets[i], offsets[i + 1])
    prompt = ahead + tokens[row][: labels[row].argmax()].tolist()
    answer = model.answer(prompt, settings["max_new_tokens"], stop).strip()
    trained = prediction["after"].strip()
    equal += answer == trained
    correct += answer == prediction["expected"].strip()
    if answer != trained or (served and served[i]["served"].strip() != trained):
        edges[i] = edge(prompt, trained)
print(json.dumps({"rows": len(predictions), "equal": equal, "correct": correct, "edges": edges}))
