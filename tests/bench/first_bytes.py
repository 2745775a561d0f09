"""Seconds to the first bytes of the library's iterator, told as JSON; then the process ends.

    python first_bytes.py SESSION [whole]

`tag` is the first chunk, `sound` the first that holds MP3 frames; both are counted from where
Python has started. With `whole` the iterator is read to its end.
"""

from __future__ import annotations

import json
import os
import sys
import time


def main() -> None:
    began = time.perf_counter()
    import voiceflow

    stream = voiceflow.stream(sys.argv[1])
    chunks = iter(stream)
    length = len(next(chunks))
    told = {"tag": time.perf_counter() - began, "length": stream.length}
    length += len(next(chunks))
    told["sound"] = time.perf_counter() - began
    if "whole" in sys.argv[2:]:
        length += sum(map(len, chunks))
        told["whole"] = time.perf_counter() - began
        assert length == stream.length
    print(json.dumps(told), flush=True)
    # Nobody waits for what is being made ahead.
    os._exit(0)


if __name__ == "__main__":
    main()
