"""`voiceflow`, and `python -m voiceflow`: the command line."""

from __future__ import annotations

import os
import signal
from typing import NoReturn


def main() -> NoReturn:
    """Run the command line. Ctrl-C ends it quietly from its first moment on."""
    # Until the command line is loaded and has its own way to stop, nothing is to be tidied up.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _stop)
    from voiceflow.cli.main import main as run

    run()


def _stop(*_: object) -> NoReturn:
    os.write(2, b"stopped\n")
    os._exit(1)


if __name__ == "__main__":
    main()
