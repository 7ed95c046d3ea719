"""llama.cpp, where the Python package xllamacpp is installed, as a judge of exported files.

It runs in a process of its own: whatever it does, what was trained and written stays.
"""

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

LISTED = 200
"""Tokens whose log-probability it is asked for at each position."""
PATIENCE_SECONDS = 600

Answer = Mapping[int, float]


def engine_version() -> str | None:
    """None where it is not installed."""
    try:
        return version("xllamacpp")
    except PackageNotFoundError:
        return None


def ask(path: Path, prompts: Sequence[Sequence[int]]) -> list[Answer] | str:
    """Log-probabilities of the likely next tokens of each prompt, by id; a sentence where the engine gave no answer."""
    package = str(Path(__file__).parents[2])
    paths = os.pathsep.join(filter(None, [package, os.environ.get("PYTHONPATH")]))
    command = [sys.executable, "-m", "temper_trainer.export.llama_cpp", str(path)]
    question = json.dumps([list(map(int, prompt)) for prompt in prompts])
    try:
        done = subprocess.run(
            command,
            input=question,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=PATIENCE_SECONDS,
            env=os.environ | {"PYTHONPATH": paths},
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"xllamacpp gave no answer in {PATIENCE_SECONDS} s"
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines()
        return f"xllamacpp ended with {done.returncode}: {lines[-1] if lines else 'no message'}"
    lines = done.stdout.splitlines()
    if not lines:
        return "xllamacpp printed no answer"
    answers = json.loads(lines[-1])
    return [{int(token): value for token, value in answer} for answer in answers]


def open_server(path: Path, context: int) -> Any:
    """Key and value caches are fp32 and attention is plain, so that the file's own exactness shows."""
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(path)
    params.n_ctx = context
    params.n_parallel = 1
    params.n_gpu_layers = 0
    params.cpuparams.n_threads = 2
    params.cpuparams_batch.n_threads = 2
    params.cache_type_k = xllamacpp.ggml_type.GGML_TYPE_F32
    params.cache_type_v = xllamacpp.ggml_type.GGML_TYPE_F32
    params.flash_attn_type = xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED
    params.verbosity = -1
    params.warmup = False
    return xllamacpp.Server(params)


def post(server: Any, path: str, body: dict[str, Any]) -> Any:
    request = urllib.request.Request(
        server.listening_address + path, json.dumps(body).encode(), {"content-type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as reply:
        return json.loads(reply.read())


def next_token(server: Any, prompt: Sequence[int], count: int) -> list[tuple[int, float]]:
    """The likeliest next tokens and their log-probabilities, before anything is sampled."""
    # A token that is a piece of a character is held back together with its figures, so a letter is forced. The
    # figures are those of the model, before any bias.
    letter = post(server, "/tokenize", {"content": "a", "add_special": False})["tokens"][-1]
    body = {"prompt": list(prompt), "n_predict": 1, "n_probs": count, "logit_bias": [[letter, 1000.0]]}
    answer = post(server, "/completion", body | {"temperature": 0, "cache_prompt": False})
    return [(entry["id"], entry["logprob"]) for entry in answer["completion_probabilities"][0]["top_logprobs"]]


def main() -> None:
    prompts = json.load(sys.stdin)
    server = open_server(Path(sys.argv[1]), max(map(len, prompts)) + 8)
    print(json.dumps([next_token(server, prompt, LISTED) for prompt in prompts]), flush=True)
    # The server's threads would keep the process
    os._exit(0)


if __name__ == "__main__":
    main()
