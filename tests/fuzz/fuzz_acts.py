"""Does the acts of a case in this process: the command line, a server, a file that is changed."""

from __future__ import annotations

import io
import logging
import os
import re
import signal
import socket
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from fuzz_cases import Case, Command, Plant, Raw, Request, Restart, Said, Same, Spoil
from odd_bytes import edited

_SAID = 8_000_000  # characters of an answer that are looked at
_SETTINGS = ("VOICEFLOW_HOME", "VOICEFLOW_CACHE")
_WRITTEN = frozenset("-o --output --to --svg --png --certificate --key --library".split())


class Place:
    """A folder with the files of a case, in which its acts are done."""

    def __init__(self, folder: Path, case: Case) -> None:
        self.folder, self.case = folder, case
        self._server: Any = None
        self._told: dict[str, str] = {}
        self._log = _Log()

    def __enter__(self) -> Place:
        for name, data in self.case.files:
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        os.chdir(self.folder)
        os.environ["VOICEFLOW_HOME"] = str(self.folder / "user")
        os.environ["VOICEFLOW_CACHE"] = str(self.folder / "cache")
        logging.getLogger().addHandler(self._log)
        return self

    def __exit__(self, *_: object) -> None:
        self._end_server()
        logging.getLogger().removeHandler(self._log)
        os.chdir("/")

    def done(self, number: int, limited: Callable[[bool], None]) -> Said:
        """What act `number` says; `limited` puts it under a limit of time, and takes that away."""
        act = self.case.acts[number]
        do = {
            Command: self._command, Spoil: self._spoil, Same: self._same, Request: self._request,
            Restart: self._restart, Raw: self._raw, Plant: _plant,
        }[type(act)]  # fmt: skip
        limited(True)
        try:
            code, out, err, trace = do(act)  # type: ignore[operator]
        except Exception:
            code, out, err, trace = 0, "", "", traceback.format_exc()
        finally:
            limited(False)
        return Said(number, code, out[:_SAID], err[:_SAID], trace)

    # The command line

    def _command(self, act: Command) -> tuple[int, str, str, str]:
        from voiceflow.cli import main as cli

        sys.argv = ["voiceflow", *_within(act.words)]
        trace: list[str] = []
        usual = cli._unforeseen

        def unforeseen(error: Exception) -> str:
            # An OSError can strike anywhere, and has words of its own.
            if not isinstance(error, OSError):
                trace.append("".join(traceback.format_exception(error)))
            return usual(error)

        cli._unforeseen = unforeseen
        code: Any = 0
        with _caught() as said:
            try:
                cli.main()
            except SystemExit as error:
                code = error.code
            finally:
                cli._unforeseen = usual
                for stream in (sys.stdout, sys.stderr):
                    with suppress(OSError, ValueError):
                        stream.flush()
        return code if isinstance(code, int) else -1, *said, "".join(trace)

    # Files

    def _spoil(self, act: Spoil) -> tuple[int, str, str, str]:
        found = sorted(one for one in (self.folder / act.place).rglob("*") if one.is_file())
        if not found:
            return 0, "nothing is there", "", ""
        path = found[act.number % len(found)]
        path.write_bytes(edited(path.read_bytes(), act.edits))
        return 0, str(path.relative_to(self.folder)), "", ""

    def _same(self, act: Same) -> tuple[int, str, str, str]:
        one, other = ((self.folder / name) for name in (act.one, act.other))
        equal = one.exists() and other.exists() and one.read_bytes() == other.read_bytes()
        return 0 if equal else 1, "", "" if equal else f"{act.one} and {act.other} differ", ""

    # A server

    def _request(self, act: Request) -> tuple[int, str, str, str]:
        server = self._serving()
        headers = [
            (key.encode("latin-1", "replace"), self._known(value).encode("latin-1", "replace"))
            for key, value in act.headers
        ]
        body = act.body
        for word in [word for word in ("<token>", "<render>", "<code>") if word.encode() in body]:
            body = body.replace(word.encode(), self._known(word).encode())
        target = self._known(act.target).encode("utf-8", "surrogatepass").decode("latin-1")
        before = len(self._log.told)
        status, answer = server.ask(target, headers, method=act.method, body=body)
        return status, answer[:_SAID].decode("utf-8", "replace"), "", self._log.since(before)

    def _known(self, text: str) -> str:
        for word in ("<token>", "<render>", "<feed>", "<code>"):
            if word in text:
                text = text.replace(word, self._told.get(word) or self._learn(word))
        return text

    def _learn(self, word: str) -> str:
        from serving import make

        server = self._serving()
        match word:
            case "<token>":
                told = server.token()
            case "<code>":
                return str(server.studio.pairing.new())
            case "<render>":
                told = make(server.phone())["id"]
            case _:
                phone = server.phone()
                told = server.feed(phone)
        self._told[word] = told
        return told

    def _serving(self) -> Any:
        from serving import Home, InProcess

        if self._server is None:
            socket_too = any(isinstance(act, Raw) for act in self.case.acts)
            self._server = (Home if socket_too else InProcess)(self.folder)
        return self._server

    def _end_server(self) -> None:
        if self._server is not None:
            self._server.close()
        self._server = None

    def _restart(self, _: Restart) -> tuple[int, str, str, str]:
        self._end_server()
        self._told.pop("<token>", None)
        self._serving()
        return 0, "", "", ""

    def _raw(self, act: Raw) -> tuple[int, str, str, str]:
        server, before = self._serving(), len(self._log.told)
        data = act.data
        for word in ("<token>", "<render>"):
            if word.encode() in data:
                data = data.replace(word.encode(), self._known(word).encode())
        answer = _exchanged(server.port, data)
        alive = _exchanged(server.port, b"GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n")
        if b" 200 " not in alive[:20]:
            return 0, "", f"after it, the server answers {alive[:80]!r}", ""
        first = answer.split(b"\r\n", 1)[0].split(b" ")
        status = int(first[1]) if len(first) > 1 and first[1].isdigit() else 0
        return status, answer.decode("latin-1"), "", self._log.since(before)


def _plant(act: Plant) -> tuple[int, str, str, str]:
    match act.what:
        case "hang":
            while True:
                pass
        case "hang in C":
            re.fullmatch("(a|a)*b", "a" * 60)
        case "memory":
            return len(bytearray(b"x") * (1_200 << 20)), "", "", ""
        case "crash":
            os.kill(os.getpid(), signal.SIGSEGV)
    raise KeyError(act.what)


def _exchanged(port: int, data: bytes) -> bytes:
    """What a server answers to `data` and the end of it; as much as comes while it goes on."""
    found = b""
    with (
        suppress(TimeoutError, ConnectionError),
        socket.create_connection(("127.0.0.1", port)) as link,
    ):
        link.settimeout(5)
        link.sendall(data)
        link.shutdown(socket.SHUT_WR)
        while len(found) < _SAID and (part := link.recv(65_536)):
            found += part
    return found


def _within(words: tuple[str, ...]) -> list[str]:
    """`words`, of which none writes outside of the folder."""
    safe: list[str] = []
    for before, word in zip(("", *words), words, strict=False):
        named = word.split("=", 1)[-1] if word.startswith("-") else word
        if (
            before in _WRITTEN
            or word.startswith(tuple(f"{one}=" for one in _WRITTEN))
            or word.startswith("-o")
        ):
            word = word.replace("/", "_") if named.startswith("/") or ".." in named else word
        safe.append(word.replace("\0", ""))  # no system hands on such a word
    return safe


@contextmanager
def _caught() -> Iterator[list[str]]:
    """Standard output and error of the whole process, of C code too, as texts in the end."""
    said: list[str] = []
    kept, streams = [os.dup(1), os.dup(2)], (sys.stdout, sys.stderr)
    files = [os.memfd_create("out"), os.memfd_create("err")]
    for number, file in zip((1, 2), files, strict=True):
        os.dup2(file, number)
    sys.stdout, sys.stderr = (
        io.TextIOWrapper(io.FileIO(number, "w", closefd=False), "utf-8", errors="surrogateescape")
        for number in (1, 2)
    )
    try:
        yield said
    finally:
        sys.stdout, sys.stderr = streams
        for number, old, file in zip((1, 2), kept, files, strict=True):
            os.dup2(old, number)
            os.close(old)
            os.lseek(file, 0, os.SEEK_SET)
            with os.fdopen(file, "rb") as all_of_it:
                said.append(all_of_it.read().decode("utf-8", "replace"))


class _Log(logging.Handler):
    """Keeps what a server logs as an error: its requests are answered, whatever went wrong."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.told: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.told.append(self.format(record))

    def since(self, number: int) -> str:
        return "\n".join(self.told[number:])
