"""
A training's workers on a Ray cluster: python -m temper_trainer.ray_workers FILE, as the entrypoint of a Ray job.

Runs with the cluster's own Python, which has Ray and need not have PyTorch: one actor a worker keeps the worker's place
and starts `python -m temper_trainer train` with the interpreter that has it. FILE is JSON:

    {"version": 1, "nodes": 2, "workers_per_node": 1, "num_cpus": 1, "num_gpus": 0,
     "command": ["/shared/python", "-m", "temper_trainer", "train", …], "env": {"PYTHONPATH": …}, "log": "/…/log"}

What happens is printed, one line of JSON after SAYS each: the job's log is what the submitter reads.
"""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

SAYS = "temper: "
"""What a line for the submitter begins with."""
LOOK = 0.5
"""Seconds between two looks at the workers."""
LEAVE = 30
"""Seconds a worker has to write a checkpoint and leave."""
LOCKED, LOST, STOPPED = 3, 75, 130
"""Exit codes: another trainer holds the job; a worker's node or actor is gone; told to stop."""
LOCK_PATIENCE = 180
"""Seconds to wait for the trainer of an earlier attempt, which a node that lost its head may still run."""


def main() -> int:
    if sys.argv[1] == "guard":
        return guard(sys.argv[2], sys.argv[3:])
    return run(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))


def say(**event: Any) -> None:
    print(f"{SAYS}{json.dumps(event, ensure_ascii=False)}", flush=True)


class Leave(BaseException):
    """SIGTERM came: the job is being stopped."""


def run(spec: dict[str, Any]) -> int:
    """Runs the workers to their end; the exit code is that of the first one that failed."""
    # The cluster's own package, which no other part of the trainer needs
    import ray

    ray.init(log_to_driver=False, logging_level="ERROR")
    signal.signal(signal.SIGTERM, leave)
    try:
        group = reserve(ray, spec)
        deadline = time.monotonic() + LOCK_PATIENCE
        while True:
            with workers_of(ray, group, spec) as (workers, places):
                code = follow(ray, workers, [place["address"] for place in places])
            if code != LOCKED or time.monotonic() > deadline:
                return code
            say(state="pending", message="the trainer of an earlier attempt still holds the job folder")
            time.sleep(5)
    except Leave:
        return STOPPED


def leave(*_: object) -> None:
    # A second one must not interrupt the workers' last checkpoint
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise Leave


def reserve(ray: Any, spec: dict[str, Any]) -> Any:
    """A place on as many nodes as asked for, each with all its workers; waits until the cluster has them."""
    needs = needed(spec)
    group = ray.util.placement_group([needs] * spec["nodes"], strategy="STRICT_SPREAD")
    said = None
    while not group.wait(2):
        message = shortage(ray, spec["nodes"], needs)
        if message != said:
            say(state="pending", message=message)
        said = message
    return group


def needed(spec: dict[str, Any]) -> dict[str, float]:
    """What one node must have for its workers."""
    each = {"CPU": spec["num_cpus"], "GPU": spec["num_gpus"]}
    return {name: amount * spec["workers_per_node"] for name, amount in each.items() if amount > 0}


def shortage(ray: Any, nodes: int, needs: dict[str, float]) -> str:
    """Why the workers have no place yet."""
    alive = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    fit = sum(all(has.get(name, 0) >= amount for name, amount in needs.items()) for has in alive)
    wanted = " and ".join(f"{amount:g} {name}" for name, amount in needs.items())
    where = f"{nodes} nodes with {wanted} each" if nodes > 1 else f"one node with {wanted}"
    if fit < nodes:
        return f"not enough resources: {where} needed, {fit} of the cluster's {len(alive)} have that"
    return f"waiting for other work to end: {where} needed"


class Worker:
    """An actor: the place of one worker. Short calls only, so that it can always be told to stop."""

    def __init__(self, rank: int):
        self.rank = rank
        self.process: subprocess.Popen | None = None

    def place(self) -> dict[str, Any]:
        """Where it is, with a port that is free there."""
        import ray

        with socket.socket() as probe:
            probe.bind(("", 0))
            port = probe.getsockname()[1]
        context = ray.get_runtime_context()
        return {
            "node": context.get_node_id(),
            "address": ray.util.get_node_ip_address(),
            "port": port,
            "gpus": context.get_accelerator_ids().get("GPU", []),
        }

    def start(self, command: list[str], env: dict[str, str], log: str) -> None:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
        name = f"[{self.rank}] " if env["WORLD_SIZE"] != "1" else ""
        guarded = [command[0], "-m", "temper_trainer.ray_workers", "guard", f"{log}\n{name}", *command]
        self.process = subprocess.Popen(
            guarded, env={**inherited, **env}, stdin=subprocess.PIPE, start_new_session=True
        )

    def ended(self) -> int | None:
        """Exit code of the worker; None while it runs."""
        return self.process.poll() if self.process else None

    def stop(self) -> None:
        if self.process and self.process.stdin:
            with contextlib.suppress(OSError):
                self.process.stdin.close()


@contextmanager
def workers_of(ray: Any, group: Any, spec: dict[str, Any]) -> Iterator[tuple[list[Any], list[dict[str, Any]]]]:
    """Starts the workers. Ends those that are left, however this is left."""
    strategy = ray.util.scheduling_strategies.PlacementGroupSchedulingStrategy
    each, count = spec["workers_per_node"], spec["nodes"]
    make = ray.remote(Worker).options
    workers = [
        make(
            num_cpus=spec["num_cpus"],
            num_gpus=spec["num_gpus"],
            scheduling_strategy=strategy(group, placement_group_bundle_index=rank // each),
        ).remote(rank)
        for rank in range(count * each)
    ]
    try:
        places = ray.get([worker.place.remote() for worker in workers])
        for rank, worker in enumerate(workers):
            ray.get(worker.start.remote(spec["command"], environment(spec, rank, places), spec["log"]))
        nodes = list({place["node"]: place["address"] for place in places}.values())
        say(state="running", nodes=nodes, workers=len(workers))
        yield workers, places
    finally:
        end(ray, workers)


def environment(spec: dict[str, Any], rank: int, places: list[dict[str, Any]]) -> dict[str, str]:
    """Of one worker: what torchrun sets, and all GPUs of its node's workers, which LOCAL_RANK chooses from."""
    each, first = spec["workers_per_node"], places[0]
    start = rank - rank % each
    gpus = [gpu for place in places[start : start + each] for gpu in place["gpus"]]
    return {
        **spec["env"],
        "RANK": str(rank),
        "WORLD_SIZE": str(len(places)),
        "LOCAL_RANK": str(rank % each),
        "LOCAL_WORLD_SIZE": str(each),
        "MASTER_ADDR": first["address"],
        "MASTER_PORT": str(first["port"]),
        **({"CUDA_VISIBLE_DEVICES": ",".join(gpus)} if gpus else {}),
    }


def follow(ray: Any, workers: list[Any], nodes: list[str]) -> int:
    """Waits until all have ended well, or one has not."""
    while True:
        codes = []
        for rank, worker in enumerate(workers):
            try:
                codes.append(ray.get(worker.ended.remote()))
            except ray.exceptions.RayError as error:
                found = " ".join(str(error).split())[:300]
                say(state="lost", rank=rank, node=nodes[rank], message=found)
                return LOST
        failed = [(code != STOPPED, code, rank) for rank, code in enumerate(codes) if code]
        if failed:
            # The highest: one that was killed, before those that lost it
            _, code, rank = max(failed)
            say(state="ended", rank=rank, node=nodes[rank], code=code, signal=signal_name(code))
            return code
        if all(code == 0 for code in codes):
            return 0
        time.sleep(LOOK)


def signal_name(code: int) -> str | None:
    """Of the signal that killed a worker. 130 is what a trainer that was told to stop ends with."""
    with contextlib.suppress(ValueError):
        return signal.Signals(code - 128).name if code > 128 and code != STOPPED else None
    return None


def end(ray: Any, workers: list[Any]) -> None:
    """Tells every worker to leave, and waits until it has."""
    left = list(workers)
    deadline = time.monotonic() + LEAVE + 15
    while left and time.monotonic() < deadline:
        running = []
        for worker in left:
            # One that cannot answer is gone, and its guard ends what it has started
            with contextlib.suppress(ray.exceptions.RayError):
                ray.get(worker.stop.remote(), timeout=10)
                if ray.get(worker.ended.remote(), timeout=10) is None:
                    running.append(worker)
        left = running
        if left:
            time.sleep(0.2)
    for worker in workers:
        ray.kill(worker)


def guard(target: str, command: list[str]) -> int:
    """
    Runs one worker for as long as stdin stays open: whoever holds its other end may be killed, and a worker that nobody
    waits for would train on. Its output goes to the log of all workers, line by line.
    """
    log, name = target.split("\n", 1)
    child = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, preexec_fn=end_with_parent
    )
    threading.Thread(target=end_with_stdin, args=(child,), daemon=True).start()
    with open(log, "ab", buffering=0) as file:
        for line in child.stdout:
            file.write(name.encode() + line)
    code = child.wait()
    return code if code >= 0 else 128 - code


def end_with_parent() -> None:
    """For the case that the guard itself is killed. Only Linux knows how."""
    with contextlib.suppress(Exception):
        import ctypes

        ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG


def end_with_stdin(child: subprocess.Popen) -> None:
    while os.read(0, 4096):
        pass
    child.terminate()
    try:
        child.wait(LEAVE)
    except subprocess.TimeoutExpired:
        child.kill()


if __name__ == "__main__":
    sys.exit(main())
