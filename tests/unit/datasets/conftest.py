"""A web server on this machine that breaks, lies and refuses as told."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest


@dataclass
class Site:
    """What the server answers, by path, and what it was asked.

    - `breaks`: bytes after which a connection ends, one for each connection; those beyond the list stay whole
    - `ranges`: "kept", "ignored" (everything comes again) or "shifted" (another part comes than was asked for)
    - `told`: "length", "nothing", or "chunks", whose last one tells the end
    - `pause`: seconds between pieces of 1,000 bytes
    """

    address: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    breaks: list[int] = field(default_factory=list)
    ranges: str = "kept"
    told: str = "length"
    status: int = 200
    pause: float = 0.0
    asked: list[str] = field(default_factory=list)
    stopped: threading.Event = field(default_factory=threading.Event)


def handler(site: Site) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = self.headers.get("Range", "")
            site.asked.append(asked)
            content = site.files.get(self.path)
            if content is None or site.status != 200:
                self.send_error(404 if content is None else site.status)
                return
            start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked else 0
            if asked and site.ranges == "kept" and start >= len(content):
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(content)}")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            self.answer(content, start)

        def answer(self, content: bytes, start: int) -> None:
            if site.ranges == "ignored":
                start = 0
            elif site.ranges == "shifted" and start:
                start -= 1
            self.send_response(206 if start else 200)
            if start:
                self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
            if site.told == "length":
                self.send_header("Content-Length", str(len(content) - start))
            if site.told == "chunks":
                self.send_header("Transfer-Encoding", "chunked")
                half = len(content[start:]) // 2
                halves = (content[start:][:half], content[start:][half:], b"")
                content, start = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in halves), 0
            self.end_headers()
            self.write(content[start:][: site.breaks.pop(0) if site.breaks else None])

        def write(self, content: bytes) -> None:
            for at in range(0, len(content), 1000 if site.pause else max(1, len(content))):
                try:
                    self.wfile.write(content[at : at + 1000] if site.pause else content)
                except OSError:
                    return
                if site.stopped.wait(site.pause):
                    return
            self.close_connection = True

        def log_message(self, *arguments: Any) -> None:
            pass

    return Handler


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setenv("no_proxy", "*")
    site = Site()
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler(site))
    site.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield site
    site.stopped.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch) -> str:
    """Give an address at which nobody listens."""
    monkeypatch.setenv("no_proxy", "*")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"
