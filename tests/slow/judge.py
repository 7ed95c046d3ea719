"""How many eval rows of a finished run a GGUF file answers exactly as the trainer did, in llama.cpp.

Usage: judge.py RUN_DIR: prints {"rows", "equal", "correct", "edges"}. The prompts are those of the prepared rows, token
by token. `edges`: for each row that llama.cpp or Ollama answers differently, how many nats separate the trainer's token
from the runner-up at the least certain token of the trainer's answer. Near 0 is a toss-up; far from 0, the file or the
server is wrong.
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
ends = [ids[0] for ids in map(model.tokenize, stop) if len(ids) == 1]
# A prefix precedes every prompt, as tokens of its own.
soft = [f"<|soft_{index:03}|>" for index in range(method["length"])] if method["kind"] == "prefix" else []
ahead = model.tokenize("".join(soft)) if soft else []
assert len(ahead) == len(soft), "the file does not know the tokens of its prefix"
vocabulary = len(GGUFReader(job / "artifacts" / "model.gguf").fields["tokenizer.ggml.tokens"].data)
served_file = job.parent / "steps" / "5-monitor" / "served.jsonl"
served = [json.loads(line) for line in served_file.read_text().splitlines()] if served_file.exists() else []


def edge(prompt: list[int], answer: str) -> float:
    """Nats between the trainer's token and the runner-up at the least certain token of its answer, the end included."""
    ids = model.tokenize(answer)
    places = [[token] for token in ids] + ([ends] if len(ids) < settings["max_new_tokens"] else [])
    leads = []
    for n, good in enumerate(places):
        found = model.log_probs(prompt + ids[:n], vocabulary)
        leads.append(np.nanmax(found[good]) - np.nanmax(np.delete(found, good)))
    return abs(float(min(leads)))


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
