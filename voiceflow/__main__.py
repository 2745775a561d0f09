"""`python -m voiceflow`: the command line."""

from __future__ import annotations

from voiceflow.cli.main import main

if __name__ == "__main__":
    main()
