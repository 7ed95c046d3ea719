"""How many eval rows of a finished run a GGUF file answers exactly as the trainer did, in llama.cpp.

Usage: judge.py RUN_DIR: prints {"rows", "equal", "correct"}. The prompts are those of the prepared rows, token by token.
"""

import json
import sys
from pathlib import Path

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
equal = correct = 0
for i, prediction in enumerate(predictions):
    row = slice(offsets[i], offsets[i + 1])
    prompt = ahead + tokens[row][: labels[row].argmax()].tolist()
    answer = model.answer(prompt, settings["max_new_tokens"], stop).strip()
    equal += answer == prediction["after"].strip()
    correct += answer == prediction["expected"].strip()
print(json.dumps({"rows": len(predictions), "equal": equal, "correct": correct}))
