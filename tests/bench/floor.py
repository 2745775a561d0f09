"""The floor: what cannot be done without, alone, by the engines that do it.

    python floor.py prepare SESSION FOLDER     the different texts and the different audio
    python floor.py speak FOLDER PART PARTS    synthesis of every PARTS-th text, and no more
    python floor.py encode FOLDER THREADS      LAME over the different audio, and no more

`speak` and `encode` tell seconds as JSON: of loading the voice, of the work itself.
"""

from __future__ import annotations

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path


def prepare(session: str, folder: Path) -> None:
    """Write down what there is to speak and to encode. Not measured."""
    import voiceflow
    from voiceflow.score.prepare import prepare as prepared
    from voiceflow.stitch.stitcher import Stitcher

    context = voiceflow.Context()
    decision, made = prepared(session, context=context)
    said = {one.spoken for one in decision.score.events if one.kind == "speech"}
    texts = sorted(said, key=lambda text: (-len(text), text))
    order = {"rate": decision.rate, "texts": texts}
    (folder / "texts.json").write_text(json.dumps(order), encoding="utf-8")
    stitcher = Stitcher(decision.score, made, context.cache)
    pieces = dict(zip(stitcher.keys(), stitcher.pieces, strict=True))
    for key, piece in pieces.items():
        (folder / f"{key}.pcm").write_bytes(stitcher.pcm(piece))
    seconds = sum(piece.length_ms for piece in pieces.values()) / 1000
    print(json.dumps({"texts": len(texts), "pieces": len(pieces), "seconds": seconds}))


def speak(folder: Path, part: int, parts: int) -> None:
    """The model as voiceflow's driver loads it, and its texts one by one."""
    began = time.perf_counter()
    from voiceflow.voices.drivers import hibari

    order = json.loads((folder / "texts.json").read_text(encoding="utf-8"))
    model, speed = hibari.load("heart"), hibari.speed_of(order["rate"])
    loaded = time.perf_counter()
    for text in order["texts"][part::parts]:
        for _ in model.stream(hibari.fold(text), speed=speed, seed=hibari.SEED):
            pass
    print(json.dumps({"load": loaded - began, "work": time.perf_counter() - loaded}))


def encode(folder: Path, threads: int) -> None:
    """A fresh encoder for each piece, settings as voiceflow has them."""
    import lameenc

    from voiceflow.core.units import RATE
    from voiceflow.formats import mp3

    def frames(pcm: bytes) -> int:
        encoder = lameenc.Encoder()
        encoder.silence()
        encoder.set_channels(2)
        encoder.set_in_sample_rate(RATE)
        encoder.set_bit_rate(mp3.BIT_RATES[2])
        encoder.set_quality(mp3.QUALITY)
        return len(encoder.encode(pcm)) + len(encoder.flush())

    pieces = [path.read_bytes() for path in sorted(folder.glob("*.pcm"))]
    pieces.sort(key=len, reverse=True)
    began = time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        made = sum(pool.map(frames, pieces))
    print(json.dumps({"work": time.perf_counter() - began, "bytes": made}))


def main() -> None:
    what, *rest = sys.argv[1:]
    if what == "prepare":
        prepare(rest[0], Path(rest[1]))
    elif what == "speak":
        speak(Path(rest[0]), int(rest[1]), int(rest[2]))
    else:
        encode(Path(rest[0]), int(rest[1]))


if __name__ == "__main__":
    main()
