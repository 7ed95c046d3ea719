"""Speed, memory and exactness of training on one GPU, with random weights in real shapes: nothing is downloaded.

python gpu.py [--out FOLDER] [--budget SECONDS] [--only PART …]

Each part runs in a process of its own and adds to OUT/gpu.json as soon as it knows something. Beside temper's own
loop runs TRL's SFTTrainer with Liger kernels, where both are installed. On a machine without a GPU the same parts
run with a tiny shape, which shows that the script works and measures nothing.
"""

import argparse
import gc
import json
import math
import os
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path

os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
import torch

CUDA = torch.cuda.is_available()
DEVICE = torch.device("cuda" if CUDA else "cpu")
SHAPES = {
    "tiny": {"hidden": 64, "layers": 2, "heads": 4, "kv_heads": 2, "feed_forward": 128, "vocab": 512, "tied": True},
    "1b": {
        "hidden": 2048, "layers": 16, "heads": 32, "kv_heads": 8, "feed_forward": 8192, "vocab": 128256, "tied": True
    },
    "thin": {
        "hidden": 2048, "layers": 2, "heads": 32, "kv_heads": 8, "feed_forward": 8192, "vocab": 32000, "tied": True
    },
    "8b": {
        "hidden": 4096, "layers": 32, "heads": 32, "kv_heads": 8, "feed_forward": 14336, "vocab": 128256, "tied": False
    },
}  # fmt: skip
"""As Llama 3.2 1B and Llama 3.1 8B have them; thin: of the first, two layers."""
METHODS = {
    "lora": {"kind": "lora", "rank": 16, "alpha": 32, "dropout": 0.0, "target": "all-linear", "rslora": False},
    "qlora": {"kind": "qlora", "rank": 16, "alpha": 32, "dropout": 0.0, "target": "all-linear", "rslora": False},
    "adapter": {"kind": "adapter", "size": 64},
    "prefix": {"kind": "prefix", "length": 16, "placement": "input", "init_text": None},
    "prefix layers": {"kind": "prefix", "length": 16, "placement": "layers", "init_text": None},
    "full": {"kind": "full"},
}
DATASHEET = {"H100": 989e12, "H200": 989e12, "A100": 312e12, "L4": 121e12, "4090": 165e12}
"""Dense bf16 FLOP/s that the maker states."""


def config_of(shape: str):
    from transformers import LlamaConfig

    of = SHAPES[shape]
    return LlamaConfig(
        vocab_size=of["vocab"],
        hidden_size=of["hidden"],
        intermediate_size=of["feed_forward"],
        num_hidden_layers=of["layers"],
        num_attention_heads=of["heads"],
        num_key_value_heads=of["kv_heads"],
        head_dim=of["hidden"] // of["heads"],
        max_position_embeddings=8192,
        rope_parameters={"rope_type": "default", "rope_theta": 500000.0},
        tie_word_embeddings=of["tied"],
        pad_token_id=0,
        bos_token_id=1,
        eos_token_id=2,
    )


def random_model(shape: str, dtype: torch.dtype):
    from transformers import AutoModelForCausalLM

    torch.manual_seed(0)
    with torch.device(DEVICE):
        return AutoModelForCausalLM.from_config(config_of(shape), dtype=dtype).eval()


class RandomWeights:
    """Stands for a base's file: tensors of the right size without a file of 16 GB."""

    def __init__(self, shape: str):
        with torch.device("meta"):
            from transformers import AutoModelForCausalLM

            tensors = AutoModelForCausalLM.from_config(config_of(shape)).state_dict()
        from temper_trainer.bases.weights import Entry

        self.entries = {name: Entry("BF16", tuple(tensor.shape)) for name, tensor in tensors.items()}
        largest = max(tensor.numel() for tensor in tensors.values())
        values = torch.randn(largest, generator=torch.Generator().manual_seed(0)).mul_(0.02).bfloat16()
        self.bytes = values.view(torch.uint8).numpy()

    def read(self, name: str) -> np.ndarray:
        return self.bytes[: self.entries[name].bytes].copy()


def four_bit_model(shape: str, dtype: torch.dtype):
    """As methods/qlora.py loads it, from RandomWeights."""
    from accelerate import init_empty_weights
    from transformers import AutoModelForCausalLM

    from temper_trainer.methods.four_bit import FourBitLinear, read_tensor
    from temper_trainer.methods.lora import linear_layers

    with init_empty_weights(include_buffers=False):
        model = AutoModelForCausalLM.from_config(config_of(shape), dtype=dtype)
    model.tie_weights()
    file = RandomWeights(shape)
    for name, layer in linear_layers(model).items():
        model.set_submodule(name, FourBitLinear(layer, file, name, dtype, DEVICE))
    for name, parameter in list(model.named_parameters()):
        if parameter.is_meta:
            parent, _, last = name.rpartition(".")
            values = read_tensor(file, name).to(DEVICE, dtype)
            setattr(model.get_submodule(parent), last, torch.nn.Parameter(values, requires_grad=False))
    model.tie_weights()
    return model.to(DEVICE).eval()


def job_of(folder: Path, method: dict, **train):
    from temper_trainer.job.job import read_job

    value = {
        "version": 1,
        "name": "gpu",
        "base": {"kind": "folder", "path": "/nowhere", "sha256": "0" * 64},
        "template": "auto",
        "templates": [],
        "data": {"train": "train.jsonl", "eval": None},
        "checks": {"too_long": "error"},
        "method": method,
        "train": {
            "epochs": 1000, "learning_rate": 1e-4, "batch_size": 1, "micro_tokens": 4096, "max_length": 8192,
            "max_steps": None, "warmup_ratio": 0.0, "schedule": "constant", "weight_decay": 0.0, "max_grad_norm": 1.0,
            "seed": 1, "checkpoint_seconds": 86400, "device": "auto", "dtype": "auto", **train,
        },
        "evaluate": {
            "metric": "none", "pattern": None, "before": False, "max_new_tokens": 16, "few_shot": None
        },
        "export": {"gguf": False, "quantization": "f16", "merged": False},
    }  # fmt: skip
    (folder / "job.json").write_text(json.dumps(value))
    return read_job(folder)


class Training:
    """temper's loop over random rows."""

    def __init__(self, folder: Path, shape: str, method: str, lengths: list[int], dtype: str = "auto", **train):
        from temper_trainer.data.prepared import Prepared, PreparedWriter
        from temper_trainer.job.events import Metrics
        from temper_trainer.job.stop import Stop
        from temper_trainer.methods import attach
        from temper_trainer.training.checkpoint import Checkpoints
        from temper_trainer.training.checkpointing import checkpointed
        from temper_trainer.training.compute import FASTEST
        from temper_trainer.training.device import apply, resolve
        from temper_trainer.training.loop import Loop
        from temper_trainer.training.precision import ask_torch, fast_types
        from temper_trainer.training.random_state import RandomState
        from temper_trainer.training.session import Session

        folder = Path(tempfile.mkdtemp(dir=folder))
        self.job = job_of(folder, METHODS[method], dtype=dtype, **train)
        environment = resolve(self.job, fast_types(ask_torch()))
        apply(environment)
        held = torch.float32 if method == "full" else environment.torch_dtype
        model = four_bit_model(shape, held) if method == "qlora" else random_model(shape, held)
        writer, generator = PreparedWriter(folder / "train.safetensors"), np.random.default_rng(0)
        for length in lengths:
            writer.append(generator.integers(3, SHAPES[shape]["vocab"], length), np.ones(length, np.uint8))
        writer.close()
        self.log = folder / "metrics.jsonl"
        self.session = Session(
            job=self.job,
            job_dir=folder,
            report={"train": {}},
            metrics=Metrics(self.log),
            stop=Stop(),
            environment=environment,
            base=None,
            model=model,
            encoder=None,
            rows=Prepared(folder / "train.safetensors"),
            held_out=None,
        )
        random = RandomState(1, environment.device)
        words = lambda _text: list(range(5, 21))  # noqa: E731
        self.method = attach(self.job, model, random, words)
        checkpoints = Checkpoints(folder / "checkpoints", "gpu")
        self.loop = Loop(self.session, self.method, random, checkpoints, FASTEST)
        self.method.model.train()
        self.contexts = ExitStack()
        self.contexts.enter_context(FASTEST.on(self.method.causal))
        self.contexts.enter_context(self.loop.element_wise())
        if self.job.train.checkpointing is True:
            self.contexts.enter_context(checkpointed(self.method.causal, random))

    def step(self) -> int:
        """Tokens of one step."""
        before = self.loop.state.tokens
        self.loop.step()
        return self.loop.state.tokens - before

    def __enter__(self) -> "Training":
        return self

    def __exit__(self, *_) -> None:
        self.contexts.close()

    def losses(self) -> list[float]:
        lines = [json.loads(line) for line in self.log.read_text().splitlines()]
        return [line["loss"] for line in lines if line["type"] == "train"]


def timed(step: Callable[[], int], seconds: float, warm: int = 3) -> dict:
    """Tokens a second over steps that take so many seconds, after a few that do not count."""
    sync = torch.cuda.synchronize if CUDA else lambda: None
    begin = time.monotonic()
    for _ in range(warm):
        step()
    sync()
    first = time.monotonic() - begin
    if CUDA:
        torch.cuda.reset_peak_memory_stats()
    start, tokens, steps = time.monotonic(), 0, 0
    while steps < 2 or time.monotonic() - start < seconds:
        tokens += step()
        steps += 1
    sync()
    took = time.monotonic() - start
    return {"tokens_per_second": tokens / took, "steps": steps, "warm_up_s": first, "peak_bytes": peak()}


def peak() -> int:
    return torch.cuda.max_memory_allocated() if CUDA else 0


def flops_per_token(shape: str, method: str, length: int) -> float:
    """Of matrix products, as PaLM (arXiv 2204.02311, appendix B) counts them: 2 for each weight and pass, causal
    attention by half. A pass forward, one back to the inputs, one to the weights where they are trained."""
    of = SHAPES[shape]
    size = of["hidden"] // of["heads"]
    attention = of["hidden"] * (2 * of["heads"] + 2 * of["kv_heads"]) * size
    weights = of["layers"] * (attention + 3 * of["hidden"] * of["feed_forward"]) + of["hidden"] * of["vocab"]
    attended = of["layers"] * 4 * (length / 2) * of["heads"] * size
    return 2 * weights * (3 if method == "full" else 2) + 3 * attended


def peak_flops() -> dict:
    """FLOP/s of a large product in bf16 with random numbers, and of copies in bytes a second."""
    n = 8192 if CUDA else 256
    a, b = (torch.randn(n, n, device=DEVICE, dtype=torch.bfloat16) for _ in range(2))
    found = rate(lambda: a @ b, 2 * n**3)
    source = torch.empty(1 << (30 if CUDA else 20), dtype=torch.uint8, device=DEVICE)
    target = torch.empty_like(source)
    return {"product": found, "copy": rate(lambda: target.copy_(source), 2 * source.numel())}


def rate(work: Callable[[], object], amount: float) -> float:
    sync = torch.cuda.synchronize if CUDA else lambda: None
    for _ in range(3):
        work()
    sync()
    start, count = time.monotonic(), 0
    while time.monotonic() - start < 0.5:
        for _ in range(10):
            work()
        count += 10
        sync()
    return amount * count / (time.monotonic() - start)


class Report:
    def __init__(self, folder: Path, part: str):
        self.path = folder / f"{part}.json"
        self.folder = folder
        self.found: dict = {}

    @contextmanager
    def entry(self, name: str) -> Iterator[dict]:
        """What is written here is kept even where the rest fails."""
        found = self.found[name] = {}
        try:
            yield found
        except Exception as error:
            found["error"] = f"{type(error).__name__}: {str(error)[:600]}"
            found["traceback"] = traceback.format_exc()[-3000:]
        finally:
            gc.collect()
            if CUDA:
                torch.cuda.empty_cache()
            self.path.write_text(json.dumps(self.found, indent=1))
            short = {key: value for key, value in found.items() if key != "traceback"}
            print(f"{self.path.stem} {name}: {json.dumps(short)}", flush=True)


def machine(report: Report) -> None:
    with report.entry("machine") as found:
        found["torch"] = torch.__version__
        found["device"] = torch.cuda.get_device_name(0) if CUDA else "cpu"
        found |= peak_flops()


def speed_of(shape: str, methods: list[str], length: int, seconds: float, **train) -> Callable[[Report], None]:
    """Rows of one length, one a step. `train`: settings of the job."""

    def part(report: Report) -> None:
        top = peak_flops()["product"]
        settings = {"compile": CUDA, **train}
        said = "".join(f" {name}={value}" for name, value in train.items())
        for method in methods:
            with report.entry(f"{shape} {method} {length}{said}") as found:
                speed(found, report.folder, shape, method, [length] * 64, seconds, micro_tokens=length, **settings)
                found |= utilisation(found["tokens_per_second"] * flops_per_token(shape, method, length), top)

    return part


def speed(found: dict, folder: Path, shape: str, method: str, lengths: list[int], seconds: float, **train) -> None:
    with Training(folder, shape, method, lengths, **train) as training:
        found |= timed(training.step, seconds)
        found["environment"] = asdict(training.session.environment) | {"compiled": training.loop.compiled}


def utilisation(flops: float, product: float) -> dict:
    name = torch.cuda.get_device_name(0) if CUDA else ""
    stated = next((value for key, value in DATASHEET.items() if key in name), None)
    return {"flops": flops, "mfu": flops / stated if stated else None, "share_of_product": flops / product}


def mixed(report: Report) -> None:
    """Rows of 300 to 900 tokens, packed."""
    lengths = np.random.default_rng(1).integers(300, 900, 256).tolist()
    with report.entry(f"{BIG} lora 300-900") as found:
        speed(found, report.folder, BIG, "lora", lengths, SECONDS, batch_size=8, compile=CUDA)


def exactness(report: Report) -> None:
    """Packed rows against rows alone; the same training twice, bit for bit."""
    shape, lengths = ("thin" if CUDA else "tiny"), [40, 7, 130, 130, 64]
    for method in METHODS:
        with report.entry(f"packed {method}") as found:
            found |= packed_against_alone(report.folder, shape, method, lengths)
        with report.entry(f"twice {method}") as found:
            runs = []
            for _ in range(2):
                with Training(report.folder, shape, method, lengths, batch_size=5, compile=CUDA) as training:
                    for _ in range(4):
                        training.step()
                    runs.append((training.losses(), training.loop.flat.sha256()))
            found |= {"losses": runs[0][0], "same_losses": runs[0][0] == runs[1][0], "same": runs[0][1] == runs[1][1]}


def packed_against_alone(folder: Path, shape: str, method: str, lengths: list[int]) -> dict:
    from temper_trainer.training.compute import Way, row_losses

    training = Training(folder, shape, method, lengths, compile=False)
    training.contexts.close()
    move(training.method)
    rows = [training.session.rows.row(i) for i in range(len(lengths))]
    tensors = list(training.method.parameters().values())
    results = {}
    for way in (Way("packed", "fast", "fused"), Way("alone", "fast")):
        flat = training.loop.flat
        flat.gradient.zero_()
        losses = []
        with way.on(training.method.causal):
            for places in [range(len(rows))] if way.rows == "packed" else [[i] for i in range(len(rows))]:
                with training.loop.mixed:
                    found, _ = row_losses(training.method, [rows[i] for i in places], way, DEVICE)
                found.sum().backward()
                losses.append(found.detach().float())
        results[way.rows] = torch.cat(losses), flat.gradient.clone()
    (a, ga), (b, gb) = results["packed"], results["alone"]
    del tensors
    return {
        "loss_apart": ((a - b).norm() / b.norm()).item(),
        "gradient_apart": ((ga - gb).norm() / gb.norm()).item(),
        "dtype": training.session.environment.dtype,
    }


def move(method) -> None:
    """Gives every trained number another value, as training does."""
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for tensor in method.parameters().values():
            tensor += (torch.randn(tensor.shape, generator=generator) * 0.02).to(tensor.device)


def profile(report: Report) -> None:
    """Where the time of a step goes."""
    from torch.profiler import ProfilerActivity
    from torch.profiler import profile as record

    for shape, method in (("8b" if CUDA else "tiny", "lora"),):
        with report.entry(f"{shape} {method}") as found:
            activities = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if CUDA else [])]
            with Training(report.folder, shape, method, [LONG] * 16, compile=CUDA) as training:
                for _ in range(3):
                    training.step()
                with record(activities=activities) as seen:
                    for _ in range(2):
                        training.step()
            by = "self_cuda_time_total" if CUDA else "self_cpu_time_total"
            table = seen.key_averages().table(sort_by=by, row_limit=40, max_name_column_width=90)
            (report.folder / f"profile-{shape}-{method}.txt").write_text(table)
            found["table"] = f"profile-{shape}-{method}.txt"


def trl(report: Report) -> None:
    """TRL's SFTTrainer with Liger kernels, the same rows and LoRA."""
    lengths = np.random.default_rng(1).integers(300, 900, 256).tolist() if CUDA else [40, 64, 20]
    with report.entry(f"{BIG} lora {LONG} checkpointing=False") as found:
        found |= trl_run(report.folder, BIG, [LONG] * 64, LONG, False, 1)
        found |= utilisation(found["tokens_per_second"] * flops_per_token(BIG, "lora", LONG), 1)
    with report.entry(f"{BIG} lora 300-900") as found:
        found |= trl_run(report.folder, BIG, lengths, LONG, False, 8)
    with report.entry(f"{BIG} lora {LONG} checkpointing=True") as found:
        found |= trl_run(report.folder, BIG, [LONG] * 64, LONG, True, 1)


def trl_run(folder: Path, shape: str, lengths: list[int], longest: int, checkpointing: bool, batch: int) -> dict:
    from datasets import Dataset
    from peft import LoraConfig
    from tokenizers import Tokenizer, models
    from transformers import PreTrainedTokenizerFast, TrainerCallback
    from trl import SFTConfig, SFTTrainer

    torch.use_deterministic_algorithms(False)
    vocabulary = {f"t{i}": i for i in range(SHAPES[shape]["vocab"])}
    plain = Tokenizer(models.WordLevel(vocabulary, unk_token="t0"))
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=plain, pad_token="t0", eos_token="t2", unk_token="t0")
    generator = np.random.default_rng(0)
    rows = [generator.integers(3, SHAPES[shape]["vocab"], n).tolist() for n in lengths]
    steps = 14 if CUDA else 3
    marks = []

    class Clock(TrainerCallback):
        def on_step_end(self, *_args, **_others):
            if CUDA:
                torch.cuda.synchronize()
                if len(marks) == 3:
                    torch.cuda.reset_peak_memory_stats()
            marks.append(time.monotonic())

    arguments = SFTConfig(
        output_dir=str(folder / "trl"),
        max_steps=steps,
        per_device_train_batch_size=batch,
        learning_rate=1e-4,
        max_length=longest,
        bf16=CUDA,
        use_cpu=not CUDA,
        use_liger_kernel=CUDA,
        gradient_checkpointing=checkpointing,
        packing=False,
        dataset_kwargs={"skip_prepare_dataset": True},
        report_to=[],
        save_strategy="no",
        logging_steps=steps,
        dataloader_num_workers=0,
    )
    lora = LoraConfig(r=16, lora_alpha=32, lora_dropout=0.0, target_modules="all-linear", task_type="CAUSAL_LM")
    model = random_model(shape, torch.bfloat16)
    trainer = SFTTrainer(
        model=model,
        args=arguments,
        train_dataset=Dataset.from_dict({"input_ids": rows}),
        processing_class=tokenizer,
        peft_config=lora,
        callbacks=[Clock()],
    )
    result = trainer.train()
    first = 3 if CUDA else 1
    took = marks[-1] - marks[first - 1]
    mean = sum(lengths) / len(lengths)
    tokens = (len(marks) - first) * batch * mean
    return {
        "tokens_per_second": tokens / took,
        "steps": len(marks) - first,
        "peak_bytes": peak(),
        "loss": result.training_loss,
    }


BIG, SMALL = ("8b", "1b") if CUDA else ("tiny", "tiny")
LONG, SECONDS = (4096, 3) if CUDA else (64, 0)
FROZEN = [method for method in METHODS if method != "full"]
PARTS: dict[str, Callable[[Report], None]] = {
    "machine": machine,
    "big": speed_of(BIG, FROZEN, LONG, SECONDS),
    "plain": speed_of(BIG, ["lora"], LONG, SECONDS, compile=False),
    "free": speed_of(BIG, ["lora"], LONG, SECONDS, deterministic=False),
    "saving": speed_of(BIG, ["lora", "qlora"], LONG // 2, SECONDS, checkpointing=True),
    "mixed": mixed,
    "small": speed_of(SMALL, list(METHODS), LONG, SECONDS / 2),
    "exactness": exactness,
    "trl": trl,
    "profile": profile,
}


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, default=None)
    parser.add_argument("--budget", type=float, default=480)
    parser.add_argument("--only", nargs="*", choices=list(PARTS), default=list(PARTS))
    parser.add_argument("--part", choices=list(PARTS))
    given = parser.parse_args()
    folder = given.out or Path(tempfile.mkdtemp(prefix="gpu-"))
    folder.mkdir(parents=True, exist_ok=True)
    if given.part:
        with tempfile.TemporaryDirectory() as scratch:
            report = Report(folder, given.part)
            report.folder = Path(scratch)
            PARTS[given.part](report)
            for path in Path(scratch).glob("*.txt"):
                (folder / path.name).write_text(path.read_text())
        return 0
    end, left_out = time.monotonic() + given.budget, []
    for part in given.only:
        left = end - time.monotonic()
        if left < 15:
            left_out.append(part)
            continue
        command = [sys.executable, __file__, "--part", part, "--out", str(folder)]
        try:
            code = subprocess.run(command, timeout=left).returncode
        except subprocess.TimeoutExpired:
            code = "out of time"
        print(f"== {part}: {code} after {given.budget - (end - time.monotonic()):.0f} s", flush=True)
    found = {path.stem: json.loads(path.read_text()) for path in sorted(folder.glob("*.json")) if path.stem != "gpu"}
    (folder / "gpu.json").write_text(json.dumps(found | {"left_out": left_out}, indent=1))
    return summary(found)


def summary(found: dict) -> int:
    """A table; 1 where something failed."""
    failed = 0
    for part, entries in found.items():
        for name, entry in entries.items():
            failed += "error" in entry
            if "tokens_per_second" not in entry:
                continue
            speed, mfu = entry["tokens_per_second"], entry.get("mfu")
            share = f"{mfu:.1%}" if mfu and math.isfinite(mfu) else "-"
            memory = f"{entry['peak_bytes'] / 2**30:.1f} GiB"
            print(f"{part:10} {name:40} {speed:10,.0f} tokens/s  MFU {share:>6}  {memory:>10}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
