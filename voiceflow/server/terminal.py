"""Text for the terminal: the QR code to scan, the server's address, and each phone that pairs.

Addresses and codes come in; lines of text (and a QR code as SVG for the settings page) go out.
"""

from __future__ import annotations

import io
import socket
import sys
from typing import TextIO

from voiceflow.core.units import counted

OPEN_TO_ALL = ("0.0.0.0", "::", "")
_LIGHT_ON_DARK, _PLAIN = "\x1b[38;5;231;48;5;16m", "\x1b[0m"


def code_svg(address: str) -> str:
    """An address as a QR code, as an SVG image."""
    import segno

    file = io.BytesIO()
    segno.make(address, error="m").save(file, kind="svg", scale=6, border=3, xmldecl=False)
    return file.getvalue().decode()


def code_text(address: str) -> str:
    """An address as a QR code in half-block characters, dark on light in every colour scheme."""
    import segno

    file = io.StringIO()
    # The least correction makes the smallest code: it has to fit into a terminal.
    segno.make(address, error="l").terminal(out=file, compact=True, border=2)
    # segno draws the light modules, so the colours have to be fixed or the code is inverted.
    return "\n".join(f"{_LIGHT_ON_DARK}{line}{_PLAIN}" for line in file.getvalue().splitlines())


def lan_address() -> str | None:
    """This computer's address in its network, or None. No packet is sent to find it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # TEST-NET-1 (RFC 5737): no such host
            found = str(probe.getsockname()[0])
        except OSError:
            return None
    return None if found.startswith("127.") or found == "0.0.0.0" else found


def base_address(host: str, port: int, scheme: str = "http") -> str:
    """The base URL to give to a phone."""
    if host in OPEN_TO_ALL:
        host = lan_address() or "127.0.0.1"
    shown = f"[{host}]" if ":" in host else host
    usual = {"http": 80, "https": 443}[scheme]
    return f"{scheme}://{shown}" if port == usual else f"{scheme}://{shown}:{port}"


def is_local(host: str) -> bool:
    """Whether only this computer can reach a server on `host`."""
    return host == "localhost" or host == "::1" or host.startswith("127.")


def welcome(base: str, code: str, *, local: bool, minutes: int, drawn: bool = True) -> str:
    """The invitation: code, address, and how to let phones in if only this computer may."""
    address = f"{base}/pair?code={code}"
    lines = [
        *([code_text(address), ""] if drawn else []),
        "Scan this code with your phone's camera, or open:" if drawn else "On your phone, open:",
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
    """Prints what happens. Codes are drawn if the output is a terminal that can show them."""

    def __init__(self, base: str, *, local: bool, out: TextIO | None = None) -> None:
        self.base, self.local = base, local
        self.out = out if out is not None else sys.stdout
        self.draws = self.out.isatty() and self._can_show("█▀▄")

    def _can_show(self, text: str) -> bool:
        try:
            text.encode(getattr(self.out, "encoding", None) or "utf-8")
        except UnicodeEncodeError:
            return False
        return True

    def say(self, *lines: str) -> None:
        """Print lines at once; characters that the terminal cannot show are replaced."""
        encoding = getattr(self.out, "encoding", None) or "utf-8"
        for line in lines:
            # Flushed, or in a log it would stay in a buffer while the phone waits for its code.
            print(line.encode(encoding, "replace").decode(encoding), file=self.out, flush=True)

    def invite(self, code: str, minutes: int) -> None:
        """Show a new pairing code."""
        told = welcome(self.base, code, local=self.local, minutes=minutes, drawn=self.draws)
        self.say(told)

    def renewed(self, titles: list[str]) -> None:
        """Say which kept sessions are made again."""
        count = counted(len(titles), "kept session")
        shown = ", ".join(titles[:5]) + (" …" if len(titles) > 5 else "")
        self.say("", f"Made again, as voice, tones or version have changed: {count} ({shown}).")

    def paired(self, name: str) -> None:
        """Say that a phone was paired."""
        self.say("", f"Paired: {name}.")
        if sys.stdin is not None and sys.stdin.isatty():
            self.say("Press Enter to show a code for another phone.")
