"""
`python` in a folder that the server made. It stands for one process that the server forks: hands it arguments,
environment, folder and stdio, passes signals on, and ends as it ends. Whatever the server cannot stand for is left to
the interpreter itself.
"""

import array
import json
import os
import signal
import socket
import sys

HANDLED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def main(folder: str, arguments: list[str]) -> None:
    with open(os.path.join(folder, "fixed.json")) as file:
        server = json.load(file)
    environment = dict(os.environ)
    if not warm(server, environment, arguments):
        os.execve(server["python"], [server["python"], *arguments], environment)
    connection = socket.socket(socket.AF_UNIX)
    # A signal before the request is whole would be taken for a part of it
    signal.pthread_sigmask(signal.SIG_BLOCK, HANDLED)
    for number in HANDLED:
        signal.signal(number, lambda number, _: connection.send(bytes([number])))
    connection.connect(os.path.join(folder, "socket"))
    request = {"arguments": arguments, "env": environment, "cwd": os.getcwd()}
    data = json.dumps(request).encode() + b"\n"
    sent = connection.sendmsg([data], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [0, 1, 2]))])
    connection.sendall(data[sent:])
    signal.pthread_sigmask(signal.SIG_UNBLOCK, HANDLED)
    answer = b""
    while part := connection.recv(64):
        answer += part
    if not answer:
        sys.exit("The warm Python has ended")
    code = json.loads(answer)
    if code < 0:
        if -code in HANDLED:
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    os._exit(code)


def warm(server: dict, environment: dict[str, str], arguments: list[str]) -> bool:
    """Whether the trainer or a test's script starts, with the server's own variables for what libraries read."""
    fixed = {name: value for name, value in environment.items() if name.startswith(tuple(server["prefixes"]))}
    if fixed != server["env"]:
        return False
    match arguments:
        case ["-m", "temper_trainer", *_]:
            return True
        case ["-c", code, *_]:
            return "temper_trainer" in code
        case [script, *_]:
            return script.endswith(".py")
    return False


if __name__ == "__main__":
    main(os.path.dirname(__file__), sys.argv[1:])
