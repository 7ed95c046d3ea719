"""Tiny random models and jobs, as real folders: what a 135M model shows in minutes, these show in seconds."""

import json
from pathlib import Path

CHATML = {
    "name": "chatml",
    "detect": ["<|im_start|>"],
    "prefix": "",
    "strip": False,
    "stop": ["<|im_end|>"],
    "turns": {
        role: {"open": f"<|im_start|>{role}\n", "close": "<|im_end|>\n"} for role in ("system", "user", "assistant")
    },
}

JINJA = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)

QWEN2_SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)

TEXT = [
    "turn on the lamp in the kitchen",
    "do: off, what: tv, where: hallway",
    "set the heater in the bedroom to 21 degrees",
    "Close the blinds, please. Thank you!",
    "system user assistant Home: naïve café 東京 🙂",
]


LOW_RANK = {"rank": 4, "alpha": 8, "dropout": 0.1, "target": "all-linear", "rslora": False}


def pre_tokenizer(arch: str):
    """The one of SmolLM for llama, the one of Qwen for the others, so that a GGUF of it can name it."""
    from tokenizers import Regex
    from tokenizers import pre_tokenizers as pre

    if arch == "llama":
        return pre.Sequence([pre.Digits(individual_digits=True), pre.ByteLevel(add_prefix_space=False)])
    split = pre.Split(Regex(QWEN2_SPLIT), behavior="isolated")
    return pre.Sequence([split, pre.ByteLevel(add_prefix_space=False, use_regex=False)])


def make_tokenizer(folder: Path, arch: str = "llama"):
    """A byte-level BPE tokenizer of about 400 tokens with ChatML's special ones, saved into `folder`."""
    from tokenizers import Tokenizer, decoders, models, trainers
    from transformers import PreTrainedTokenizerFast

    core = Tokenizer(models.BPE())
    core.pre_tokenizer = pre_tokenizer(arch)
    core.decoder = decoders.ByteLevel()
    from tokenizers.pre_tokenizers import ByteLevel

    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=["<|endoftext|>", "<|im_start|>", "<|im_end|>"],
        initial_alphabet=ByteLevel.alphabet(),
        show_progress=False,
    )
    core.train_from_iterator(TEXT * 4, trainer)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=core, bos_token="<|endoftext|>", eos_token="<|im_end|>", pad_token="<|endoftext|>"
    )
    tokenizer.chat_template = JINJA
    tokenizer.save_pretrained(folder)
    return tokenizer


def make_base(folder: Path, arch: str = "llama", *, tied: bool = True, seed: int = 0, **config) -> Path:
    """A random model of two layers and width 64 (arch llama, qwen2 or qwen3) with its tokenizer, as a folder."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = make_tokenizer(folder, arch)
    shape = {
        "vocab_size": len(tokenizer),
        "hidden_size": 64,
        "intermediate_size": 128,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": 512,
        "tie_word_embeddings": tied,
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
    }
    if arch == "qwen3":
        shape["head_dim"] = 32
    torch.manual_seed(seed)
    model = AutoModelForCausalLM.from_config(AutoConfig.for_model(arch, **(shape | config)))
    randomize(model)
    model.save_pretrained(folder)
    return folder


def randomize(model) -> None:
    """Makes biases and norms matter too: fresh ones are all 0 or 1 and hide mistakes."""
    import torch

    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim == 1:
                parameter.add_(torch.randn_like(parameter) * 0.1)


def conversation(user: str, assistant: str, system: str | None = "Home:") -> list[dict]:
    turns = [{"role": "user", "content": user}, {"role": "assistant", "content": assistant}]
    return ([{"role": "system", "content": system}] if system else []) + turns


def home_rows(count: int, name: str = "home.jsonl") -> list[dict]:
    """Commands and their answers, all different, of varied length."""
    rooms = ["kitchen", "hallway", "bedroom", "attic", "cellar"]
    things = ["lamp", "tv", "heater"]
    rows = []
    for i in range(count):
        room, thing, verb = rooms[i % 5], things[i % 3], ("on", "off")[i % 2]
        user = f"{'please ' * (i % 4)}turn {verb} {thing} {i} in the {room}"
        rows.append(
            {"origin": f"{name}:{i + 1}", "messages": conversation(user, f"do: {verb}, what: {thing}, where: {room}")}
        )
    return rows


def merge(base: dict, changes: dict) -> dict:
    """`base` with the nested fields of `changes` in their place; another kind of thing replaces the whole of it."""
    nested = {key for key in changes if isinstance(changes[key], dict) and isinstance(base.get(key), dict)}
    both = {key for key in nested if changes[key].get("kind") in (None, base[key].get("kind"))}
    return base | changes | {key: merge(base[key], changes[key]) for key in both}


def make_job(folder: Path, base: dict, rows: list[dict], evaluation: list[dict] | None = None, **changes) -> Path:
    """A job folder; `changes` are nested fields of job.json that differ from these small defaults."""
    folder.mkdir(parents=True, exist_ok=True)
    job = {
        "version": 1,
        "name": "tiny",
        "base": base,
        "template": "auto",
        "chat_template": None,
        "templates": [CHATML],
        "data": {"train": "train.jsonl", "eval": "eval.jsonl" if evaluation is not None else None},
        "checks": {"too_long": "error"},
        "method": {"kind": "lora", **LOW_RANK},
        "train": {
            "epochs": 1,
            "learning_rate": 0.01,
            "batch_size": 4,
            "micro_tokens": 256,
            "max_length": 128,
            "max_steps": None,
            "warmup_ratio": 0.1,
            "schedule": "cosine",
            "weight_decay": 0,
            "max_grad_norm": 1,
            "seed": 1,
            "checkpoint_seconds": 60,
            "device": "cpu",
            "dtype": "fp32",
        },
        "evaluate": {
            "metric": "exact_match",
            "pattern": None,
            "reasoning": "exclude",
            "before": True,
            "max_new_tokens": 8,
            "few_shot": None,
        },
        "export": {"gguf": False, "quantization": "q8_0", "merged": False},
    }
    write_jsonl(folder / "train.jsonl", rows)
    if evaluation is not None:
        write_jsonl(folder / "eval.jsonl", evaluation)
    (folder / "job.json").write_text(json.dumps(merge(job, changes)))
    return folder


def write_jsonl(path: Path, rows: list[dict]) -> None:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


def folder_base(folder: Path) -> dict:
    """The `base` of job.json for a Hugging Face folder."""
    import hashlib

    digests = {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }
    lines = "".join(f"{digests[name]}  {name}\n" for name in sorted(digests))
    return {"kind": "folder", "path": str(folder), "sha256": hashlib.sha256(lines.encode()).hexdigest()}
