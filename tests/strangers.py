"""Strangers who disturb a server in a network: connections held in every way, and guesses.

    python tests/strangers.py PORT KIND COUNT SECONDS [tls]

does so from a process of its own, so that whoever measures the answers is not slowed by it.
"""

from __future__ import annotations

import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress

import httpx

HEAD = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Drop: "
FORM = b"POST /pair HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded"
# What a stranger sends before he only drips; in TLS, after his handshake.
KINDS = {"idle": b"", "head": HEAD, "body": FORM + b"\r\nContent-Length: 16000\r\n\r\nc"}
_GUESS = b"code=aaaaaaaaaaaaaaaaaaaaaaaa"
BUSY = {
    # Asks for pages as long as the server answers, and takes a byte of them now and then.
    "reader": b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" * 1_000,
    "code": FORM + b"\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(_GUESS) + _GUESS,
    "token": b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: vf=guess\r\nConnection: close\r\n\r\n",
}
_DRIP_S = 0.2
TRUST = ssl.create_default_context()
TRUST.check_hostname = False
TRUST.verify_mode = ssl.CERT_NONE


class Strangers:
    """Connections that are held: a byte now and then, and a new one for each that was cut."""

    def __init__(self, port: int, kind: str, secure: bool) -> None:
        self.port, self.kind, self.secure = port, kind, secure
        self.links: list[socket.socket] = []
        self.cut = 0

    def come(self, count: int) -> None:
        for _ in range(count):
            with suppress(OSError):
                self.links.append(self._link())

    def _link(self) -> socket.socket:
        link = socket.socket()
        if self.kind == "reader":  # else the system takes it all for him
            link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        link.settimeout(60)
        link.connect(("127.0.0.1", self.port))
        # `hello` never gets through its handshake: to the server it says nothing at all.
        if self.secure and self.kind != "hello":
            link = TRUST.wrap_socket(link)
        link.sendall((KINDS | BUSY).get(self.kind, b""))
        link.setblocking(False)
        return link

    def drip(self) -> None:
        for link in list(self.links):
            try:
                if self.kind in ("head", "body"):
                    link.send(b"a")
                gone = link.recv(1 if self.kind == "reader" else 2_000) == b""
            except (BlockingIOError, ssl.SSLWantReadError):
                continue
            except OSError:
                gone = True
            if gone:
                self.cut += 1
                link.close()
                self.links.remove(link)

    def leave(self) -> None:
        for link in self.links:
            link.close()


@contextmanager
def strangers(port: int, kind: str, secure: bool) -> Iterator[Strangers]:
    held = Strangers(port, kind, secure)
    try:
        yield held
    finally:
        held.leave()


@contextmanager
def attacking(port: int, counts: Mapping[str, int], secure: bool) -> Iterator[list[int]]:
    """So many strangers of each kind, each kind in a process, while the context lasts.

    What it gives is filled at the end: how many connections of each kind were cut or answered.
    """
    running = [
        subprocess.Popen(
            [sys.executable, __file__, str(port), kind, str(count), "86400", *["tls"] * secure],
            stdout=subprocess.PIPE, stdin=subprocess.PIPE, encoding="utf-8",
        )
        for kind, count in counts.items()
    ]  # fmt: skip
    cut: list[int] = []
    try:
        yield cut
    finally:
        # The end of what they read is the sign to leave.
        cut += [int(process.communicate()[0]) for process in running]


def answered(base: str, token: str) -> int:
    """The status that a phone gets on a connection of its own."""
    with httpx.Client(base_url=base, verify=TRUST, cookies={"vf": token}, timeout=60) as phone:
        return phone.get("/api/v1/phones").status_code


def attack(port: int, kind: str, count: int, seconds: float, secure: bool) -> int:
    """Hold `count` connections of a kind; how many were cut or answered. Reads when to stop."""
    import os
    import select

    until = time.monotonic() + seconds
    with strangers(port, kind, secure) as held:
        while time.monotonic() < until:
            held.come(count - len(held.links))
            held.drip()
            if select.select([sys.stdin], [], [], _DRIP_S)[0] and not os.read(0, 1):
                break
        return held.cut


if __name__ == "__main__":
    _, port, kind, count, seconds, *more = sys.argv
    print(attack(int(port), kind, int(count), float(seconds), bool(more)))
