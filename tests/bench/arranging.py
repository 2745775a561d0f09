"""Seconds to arrange a session whose clips are known, told as JSON.

    python tests/bench/arranging.py SESSION MINUTES

Scripts are read and all passes made, as for a render; the modules are loaded before.
"""

from __future__ import annotations

import json
import sys
import time

from voiceflow import Options, arrange


def main() -> None:
    options = Options(minutes_ms=int(sys.argv[2]) * 60_000)
    arrange(sys.argv[1], options)
    began = time.perf_counter()
    decision = arrange(sys.argv[1], options)
    seconds = time.perf_counter() - began
    print(json.dumps({"seconds": seconds, "moments": len(decision.plan.moments)}))


if __name__ == "__main__":
    main()
