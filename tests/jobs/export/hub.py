"""A stand-in for the hub's API on loopback: repositories, LFS objects, commits, and files to download."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from urllib.parse import parse_qs, unquote, urlsplit

TOKEN = "hf_aTokenThatMustNeverBeSeen"
LARGE = (".parquet", ".tar", ".flac", ".gz")
"""What goes to LFS, by its ending."""


@dataclass(slots=True)
class Hub:
    """What is kept. `refuse_commits`: how many commits may still pass before each is answered 500."""

    url: str = ""
    repos: dict[str, dict[str, bytes]] = field(default_factory=dict)
    private: dict[str, bool] = field(default_factory=dict)
    objects: dict[str, bytes] = field(default_factory=dict)
    commits: list[tuple[str, list[str]]] = field(default_factory=list)
    uploads: int = 0
    refuse_commits: int | None = None


@contextmanager
def hub() -> Iterator[Hub]:
    """A hub, until the block ends."""
    state = Hub()

    class Handler(_Handler):
        hub = state

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    hub: ClassVar[Hub]
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_POST(self) -> None:
        path, body = urlsplit(self.path).path, self._body()
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            self._answer(401, {"error": "Invalid credentials"})
        elif path == "/api/repos/create":
            self._create(json.loads(body))
        elif path == "/api/validate-yaml":
            self._answer(200, {"errors": [], "warnings": []})
        elif found := re.fullmatch(r"/api/datasets/(\w+/[\w-]+)/(preupload|commit|paths-info)/\w+", path):
            self._repo(found[1], found[2], body)
        elif path.endswith(".git/info/lfs/objects/batch"):
            self._batch(json.loads(body))
        else:
            self._answer(404, {})

    def do_PUT(self) -> None:
        data = self._body()
        digest = self.path.rsplit("/", 1)[1].partition("?")[0]
        assert hashlib.sha256(data).hexdigest() == digest
        self.hub.objects[digest] = data
        self.hub.uploads += 1
        self._answer(200, {})

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        if found := re.fullmatch(r"/api/datasets/(\w+/[\w-]+)/tree/(\w+)(/.*)?", path):
            deep = "recursive=true" in self.path.lower()
            self._answer(200, _tree(self.hub.repos.get(found[1], {}), (found[3] or "/")[1:], deep=deep))
        elif found := re.fullmatch(r"/api/datasets/(\w+/[\w-]+)(/revision/\w+)?", path):
            files = self.hub.repos.get(found[1])
            self._answer(404, {}) if files is None else self._answer(200, _info(found[1], files))
        elif found := re.fullmatch(r"/datasets/(\w+/[\w-]+)/resolve/(\w+)/(.+)", path):
            self._file(self.hub.repos.get(found[1], {}).get(found[3]))
        else:
            self._answer(404, {}, {"X-Error-Code": "EntryNotFound"})

    def _create(self, asked: dict[str, Any]) -> None:
        name = f"{asked.get('organization') or 'me'}/{asked['name']}"
        known = name in self.hub.repos
        self.hub.repos.setdefault(name, {".gitattributes": b"*.parquet filter=lfs\n"})
        self.hub.private.setdefault(name, asked.get("visibility") == "private" or bool(asked.get("private")))
        self._answer(409 if known else 200, {"url": f"{self.hub.url}/datasets/{name}", "id": name})

    def _repo(self, name: str, what: str, body: bytes) -> None:
        if what == "preupload":
            asked = json.loads(body)["files"]
            modes = [
                {
                    "path": f["path"],
                    "uploadMode": "lfs" if f["path"].endswith(LARGE) else "regular",
                    "shouldIgnore": False,
                }
                for f in asked
            ]
            self._answer(200, {"files": modes})
        elif what == "commit":
            self._commit(name, [json.loads(line) for line in body.splitlines()])
        else:
            wanted = json.loads(body)["paths"] if body.startswith(b"{") else parse_qs(body.decode())["paths"]
            self._answer(
                200, [_entry(n, self.hub.repos[name][n]) for n in wanted if n in self.hub.repos[name]]
            )

    def _commit(self, name: str, lines: list[dict[str, Any]]) -> None:
        files = self.hub.repos[name]
        if self.hub.refuse_commits is not None:
            if self.hub.refuse_commits == 0:
                self._answer(500, {"error": f"no, {TOKEN}"})
                return
            self.hub.refuse_commits -= 1
        summary, changed = "", []
        for key, value in ((line["key"], line["value"]) for line in lines):
            if key == "header":
                summary = value["summary"]
                continue
            changed.append(value["path"])
            if key == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif key == "lfsFile":
                files[value["path"]] = self.hub.objects[value["oid"]]
            else:
                del files[value["path"]]
        self.hub.commits.append((summary, changed))
        number = f"{len(self.hub.commits):040x}"
        self._answer(
            200, {"commitUrl": f"{self.hub.url}/datasets/{name}/commit/{number}", "commitOid": number}
        )

    def _batch(self, asked: dict[str, Any]) -> None:
        objects: list[dict[str, Any]] = []
        for wanted in asked["objects"]:
            href = f"{self.hub.url}/lfs/{wanted['oid']}?X-Signature=secret"
            actions = {} if wanted["oid"] in self.hub.objects else {"actions": {"upload": {"href": href}}}
            objects.append(wanted | actions)
        self._answer(200, {"transfer": "basic", "objects": objects})

    def _file(self, data: bytes | None) -> None:
        if data is None:
            self._answer(404, {}, {"X-Error-Code": "EntryNotFound"})
            return
        start, status = 0, 200
        headers = {"ETag": f'"{hashlib.sha256(data).hexdigest()}"', "X-Repo-Commit": "0" * 40}
        if asked := re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", "")):
            start, end = int(asked[1]), int(asked[2] or len(data) - 1)
            headers["Content-Range"] = f"bytes {start}-{end}/{len(data)}"
            data, status = data[start : end + 1], 206
        self._send(status, data, {"Accept-Ranges": "bytes", **headers})

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") == "chunked":
            parts = []
            while size := int(self.rfile.readline(), 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(parts)
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def _answer(self, status: int, facts: object, headers: dict[str, str] | None = None) -> None:
        self._send(
            status, json.dumps(facts).encode(), {"Content-Type": "application/json", **(headers or {})}
        )

    def _send(self, status: int, data: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in (headers | {"Content-Length": str(len(data))}).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)


def _tree(files: dict[str, bytes], folder: str, *, deep: bool) -> list[dict[str, Any]]:
    start = f"{folder}/" if folder else ""
    below = {name: data for name, data in sorted(files.items()) if name.startswith(start)}
    here = {name: data for name, data in below.items() if deep or "/" not in name[len(start) :]}
    folders = {start + name[len(start) :].partition("/")[0] for name in below.keys() - here.keys()}
    listed = [{"type": "directory", "path": name, "size": 0, "oid": "0" * 40} for name in sorted(folders)]
    return [*listed, *(_entry(name, data) for name, data in here.items())]


def _entry(name: str, data: bytes) -> dict[str, Any]:
    entry = {
        "type": "file",
        "path": name,
        "size": len(data),
        "oid": hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest(),
    }
    if name.endswith(LARGE):
        lfs = {"oid": hashlib.sha256(data).hexdigest(), "size": len(data), "pointerSize": 130}
        return entry | {"lfs": lfs}
    return entry


def _info(name: str, files: dict[str, bytes]) -> dict[str, Any]:
    return {
        "id": name,
        "_id": "0",
        "sha": "0" * 40,
        "private": False,
        "gated": False,
        "disabled": False,
        "tags": [],
        "downloads": 0,
        "likes": 0,
        "lastModified": "2026-01-01T00:00:00.000Z",
        "siblings": [{"rfilename": n} for n in sorted(files)],
    }
