"""A hub of models that huggingface_hub takes for one: folders, served as repositories of one commit."""

import hashlib
import json
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class Hub:
    def __init__(self, models: Mapping[str, Path]):
        self.models = models
        self.fetched: dict[str, list[str]] = {name: [] for name in models}
        """What was downloaded of each model."""

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"hub": self}))
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: Any) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    hub: Hub

    def do_GET(self) -> None:
        parts = self.path.split("?")[0].strip("/").split("/")
        if parts[0] == "api":
            found = self._asked(parts[1:])
            self._answer(json.dumps(found).encode(), "application/json", 404 if found is None else 200)
        else:
            name, file = "/".join(parts[:2]), "/".join(parts[4:])
            path = self.hub.models[name] / file
            if self.command == "GET" and path.is_file():
                self.hub.fetched[name].append(file)
            self._answer(path.read_bytes() if path.is_file() else b"", "application/octet-stream")

    do_HEAD = do_GET

    def log_message(self, *_: Any) -> None:
        pass

    def _asked(self, parts: list[str]) -> Any:
        name = "/".join(parts[1:3])
        if parts[0] != "models" or name not in self.hub.models:
            return None
        folder = self.hub.models[name]
        files = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()}
        if parts[3:4] == ["tree"]:
            return [
                {"type": "file", "path": file, "size": path.stat().st_size, "oid": "0" * 40}
                for file, path in files.items()
            ]
        return {"id": name, "sha": COMMIT, "siblings": [{"rfilename": file} for file in files], "private": False}

    def _answer(self, body: bytes, kind: str, status: int = 200) -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.send_header("etag", f'"{hashlib.sha256(body).hexdigest()}"')
        self.send_header("x-repo-commit", COMMIT)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)
