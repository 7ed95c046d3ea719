"""
A Python that has imported what the trainer imports, and forks for each start of it: `server.py FOLDER` writes
FOLDER/python, a program that behaves as the interpreter does and starts the trainer 4 s faster (client.py).
Ends with its stdin. Tests alone use it.
All starts share its hash seed: of runs that must end the same, the interpreter itself starts one.
"""

import array
import atexit
import contextlib
import io
import json
import os
import runpy
import selectors
import signal
import socket
import sys
import traceback
from pathlib import Path

import numpy

PRELOADED = (
    "torch",
    "jinja2",
    "safetensors.torch",
    "tokenizers",
    "gguf",
    "transformers.models.auto.modeling_auto",
    "transformers.models.llama.modeling_llama",
    "transformers.generation.utils",
    "peft",
)
READ_AT_IMPORT = ("HF_", "TRANSFORMERS_", "OMP_", "MKL_", "GOMP_", "CUDA_", "PYTORCH_", "TOKENIZERS_")


def main(folder: Path) -> None:
    fixed = {name: value for name, value in os.environ.items() if name.startswith(READ_AT_IMPORT)}
    for name in PRELOADED:
        __import__(name)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(folder / "socket"))
    listener.listen(64)
    (folder / "fixed.json").write_text(json.dumps({"python": sys.executable, "prefixes": READ_AT_IMPORT, "env": fixed}))
    launcher = folder / "launcher"
    launcher.write_text(f"#!{sys.executable} -IS\n{Path(__file__).with_name('client.py').read_text()}")
    launcher.chmod(0o755)
    # Whoever waits for it finds it whole
    launcher.rename(folder / "python")
    Server(listener).serve()


class Server:
    """One thread: a process with more could not be forked safely."""

    def __init__(self, listener: socket.socket):
        self.listener = listener
        self.selector = selectors.DefaultSelector()
        self.children: dict[int, socket.socket] = {}

    def serve(self) -> None:
        self.selector.register(self.listener, selectors.EVENT_READ, self.accept)
        self.selector.register(0, selectors.EVENT_READ, self.leave)
        while True:
            for key, _ in self.selector.select():
                key.data()

    def leave(self) -> None:
        for pid in self.children:
            kill_group(pid)
        sys.exit()

    def accept(self) -> None:
        connection, _ = self.listener.accept()
        request, handles = receive(connection)
        if request is None:
            for handle in handles:
                os.close(handle)
            connection.close()
            return
        pid = os.fork()
        if pid == 0:
            self.listener.close()
            self.selector.close()
            for other in (connection, *self.children.values()):
                other.close()
            become(request, handles)
        for handle in handles:
            os.close(handle)
        ended = os.pidfd_open(pid)
        self.children[pid] = connection
        self.selector.register(ended, selectors.EVENT_READ, lambda: self.end(pid, ended))
        self.selector.register(connection, selectors.EVENT_READ, lambda: self.hear(pid))

    def hear(self, pid: int) -> None:
        """A signal that the client got; nothing more when the client was killed, which kills what it stands for."""
        connection = self.children.get(pid)
        if connection is None:
            return  # it ended at the same moment
        try:
            numbers = connection.recv(1)
        except ConnectionError:
            numbers = b""
        if numbers:
            os.kill(pid, numbers[0])
        else:
            self.selector.unregister(connection)
            kill_group(pid)

    def end(self, pid: int, ended: int) -> None:
        self.selector.unregister(ended)
        os.close(ended)
        _, status = os.waitpid(pid, 0)
        connection = self.children.pop(pid)
        if connection.fileno() in self.selector.get_map():
            self.selector.unregister(connection)
        # A killed client asks no more
        with contextlib.suppress(OSError):
            connection.sendall(json.dumps(os.waitstatus_to_exitcode(status)).encode())
        connection.close()


def kill_group(pid: int) -> None:
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        os.kill(pid, signal.SIGKILL)  # it has not made its group yet; it is there until `end` has waited for it


def receive(connection: socket.socket) -> tuple[dict | None, list[int]]:
    """What a client asks for, None when it was killed before it had, and its stdin, stdout and stderr."""
    handles = array.array("i")
    data, ancillary, _, _ = connection.recvmsg(65536, socket.CMSG_SPACE(3 * handles.itemsize))
    for _, _, content in ancillary:
        handles.frombytes(content[: 3 * handles.itemsize])
    while not data.endswith(b"\n") and (part := connection.recv(65536)):
        data += part
    return json.loads(data) if data.endswith(b"\n") else None, list(handles)


def become(request: dict, handles: list[int]) -> None:
    """Never returns: this process is the interpreter that was asked for, up to its exit code."""
    code = 1
    try:
        os.setsid()
        for number, handle in enumerate(handles):
            os.dup2(handle, number)
            os.close(handle)
        os.chdir(request["cwd"])
        os.environ.clear()
        os.environ.update(request["env"])
        path = os.environ.get("PYTHONPATH", "")
        numpy.random.seed()  # as after an import; `random` is seeded by the fork
        sys.path[:0] = [entry for entry in path.split(os.pathsep) if entry]
        direct = bool(os.environ.get("PYTHONUNBUFFERED"))
        sys.stdout, sys.stderr = stream(1, direct), stream(2, True)
        code = run(request["arguments"])
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def stream(number: int, direct: bool) -> io.TextIOWrapper:
    raw = open(number, "wb", buffering=0, closefd=False)  # noqa: SIM115 (open as long as the process lives)
    buffer = raw if direct else io.BufferedWriter(raw)
    errors = "backslashreplace" if number == 2 else "strict"
    return io.TextIOWrapper(buffer, encoding="utf-8", errors=errors, write_through=direct)


def run(arguments: list[str]) -> int:
    """`-m MODULE …`, `-c CODE …` or `SCRIPT …`, as the interpreter runs them; returns the exit code."""
    code = 0
    try:
        match arguments:
            case ["-m", module, *rest]:
                sys.argv = [module, *rest]
                runpy.run_module(module, run_name="__main__", alter_sys=True)
            case ["-c", text, *rest]:
                sys.argv = ["-c", *rest]
                exec(compile(text, "<string>", "exec"), {"__name__": "__main__"})
            case [script, *_]:
                sys.argv = arguments
                sys.path.insert(0, os.path.dirname(script))
                runpy.run_path(script, run_name="__main__")
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
    except BaseException:
        traceback.print_exc()
        code = 1
    atexit._run_exitfuncs()
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        code = 120
    return code


if __name__ == "__main__":
    main(Path(sys.argv[1]))
