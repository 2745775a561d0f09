"""What is told in the terminal: the code to scan, the address, and who has come."""

from __future__ import annotations

import io
import socket
import sys
from typing import TextIO

OPEN_TO_ALL = ("0.0.0.0", "::", "")


def code_svg(address: str) -> str:
    """An address as a QR code, as an SVG image."""
    import segno

    file = io.BytesIO()
    segno.make(address, error="m").save(file, kind="svg", scale=6, border=3, xmldecl=False)
    return file.getvalue().decode()


def code_text(address: str) -> str:
    """An address as a QR code in half blocks, dark on light whatever the terminal's colours are."""
    import segno

    file = io.StringIO()
    segno.make(address, error="l").terminal(out=file, compact=True, border=2)
    return file.getvalue()


def lan_address() -> str | None:
    """The address of this computer in its network; nothing is sent to find it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # of the block for documentation: it is no one's
            found = str(probe.getsockname()[0])
        except OSError:
            return None
    return None if found.startswith("127.") or found == "0.0.0.0" else found


def base_address(host: str, port: int, scheme: str = "http") -> str:
    """The address that a phone is given."""
    if host in OPEN_TO_ALL:
        host = lan_address() or "127.0.0.1"
    shown = f"[{host}]" if ":" in host else host
    usual = {"http": 80, "https": 443}[scheme]
    return f"{scheme}://{shown}" if port == usual else f"{scheme}://{shown}:{port}"


def is_local(host: str) -> bool:
    """Whether only this computer can reach a server on `host`."""
    return host == "localhost" or host == "::1" or host.startswith("127.")


def welcome(base: str, code: str, *, local: bool, minutes: int) -> str:
    """Code and address, and how to open the server where it is closed."""
    address = f"{base}/pair?code={code}"
    lines = [
        code_text(address),
        "Scan this code with your phone's camera, or open:",
        f"  {address}",
        f"It works once, for {minutes} minutes.",
    ]
    if local:
        lines += [
            "",
            "Only this computer can reach the server now. To let your phone in:",
            "  voiceflow serve --host 0.0.0.0",
        ]
    return "\n".join(lines)


class Terminal:
    """Tells what happens, one line each; in a pipe no codes are drawn."""

    def __init__(self, base: str, *, local: bool, out: TextIO | None = None) -> None:
        self.base, self.local = base, local
        self.out = out if out is not None else sys.stdout

    def say(self, *lines: str) -> None:
        """Print lines at once; a terminal that cannot show a character shows another."""
        encoding = getattr(self.out, "encoding", None) or "utf-8"
        for line in lines:
            print(line.encode(encoding, "replace").decode(encoding), file=self.out, flush=True)

    def invite(self, code: str, minutes: int) -> None:
        """Show a new code."""
        self.say(welcome(self.base, code, local=self.local, minutes=minutes))

    def paired(self, name: str) -> None:
        """Someone has come in."""
        self.say("", f"Paired: {name}.", "Press Enter for a code for another phone.")
