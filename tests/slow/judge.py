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
settings = json.loads((job / "job.json").read_text())["evaluate"]
stop = json.loads((job / "tokens.json").read_text())["template"]["stop"]
predictions = [json.loads(line) for line in (job / "artifacts" / "predictions.jsonl").read_text().splitlines()]
model = LlamaCpp(job / "artifacts" / "model.gguf")
equal = correct = 0
for i, prediction in enumerate(predictions):
    row = slice(offsets[i], offsets[i + 1])
    prompt = tokens[row][: labels[row].argmax()].tolist()
    answer = model.answer(prompt, settings["max_new_tokens"], stop).strip()
    equal += answer == prediction["after"].strip()
    correct += answer == prediction["expected"].strip()
print(json.dumps({"rows": len(predictions), "equal": equal, "correct": correct}))
