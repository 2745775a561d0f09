"""What one would write first: the same cues, tones and silences, one after the other.

    python naive.py SCORE.json OUT.mp3 FFMPEG

`SCORE.json` is what `voiceflow show SESSION --voice espeak --json` prints. pyttsx3 writes a file
for each cue, pydub reads it, tones are its sines, everything is added up with `+=` and exported
through FFmpeg. It is treated kindly: a cue that returns is spoken once.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
import tempfile
from pathlib import Path

import pyttsx3
from pydub import AudioSegment
from pydub.generators import Sine

RATE = 24_000
WORDS_A_MINUTE = 120
PITCHES = {"inhale": 330, "exhale": 220, "hold": 275}


def main() -> None:
    score = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    AudioSegment.converter = sys.argv[3]
    with tempfile.TemporaryDirectory() as folder:
        clips = speak({one["text"] for one in score["events"] if "text" in one}, Path(folder))
        session = silence(0)
        for group in together(score["events"]):
            gap = group[0]["start_ms"] - len(session)
            if gap > 0:
                session += silence(gap)
            session += sound(group, clips)
        session += silence(score["length_ms"] - len(session))
        session.export(sys.argv[2], format="mp3", bitrate="96k")
    print(len(session))


def speak(texts: set[str], folder: Path) -> dict[str, AudioSegment]:
    """A clip for each text. Linux: espeak comes from its wheel."""
    if sys.platform.startswith("linux"):
        import espeakng_loader

        data = Path(espeakng_loader.get_data_path())
        os.environ["ESPEAK_DATA_PATH"] = str(data)
        ctypes.CDLL(str(data.parent / "libespeak-ng.so.1"), mode=ctypes.RTLD_GLOBAL)
    engine = pyttsx3.init()
    engine.setProperty("rate", WORDS_A_MINUTE)
    clips = {}
    for number, text in enumerate(sorted(texts)):
        path = folder / f"{number}.wav"
        engine.save_to_file(text, str(path))
        engine.runAndWait()
        clips[text] = AudioSegment.from_wav(path).set_frame_rate(RATE).set_channels(2)
    return clips


def together(events: list[dict]) -> list[list[dict]]:
    """Events that sound at the same time, group by group."""
    groups: list[list[dict]] = []
    end = -1
    for event in events:
        if event["start_ms"] >= end:
            groups.append([])
        groups[-1].append(event)
        end = max(end, event["start_ms"] + event["length_ms"])
    return groups


def sound(group: list[dict], clips: dict[str, AudioSegment]) -> AudioSegment:
    start = group[0]["start_ms"]
    mixed = silence(max(one["start_ms"] + one["length_ms"] for one in group) - start)
    for event in group:
        over = clips[event["text"]] if "text" in event else tone(event)
        mixed = mixed.overlay(over, position=event["start_ms"] - start)
    return mixed


def tone(event: dict) -> AudioSegment:
    pitch = PITCHES.get(event["name"], 440)
    length = event["length_ms"]
    made = Sine(pitch, sample_rate=RATE).to_audio_segment(duration=length, volume=-30)
    return made.fade_in(length // 4).fade_out(length // 4).set_channels(2)


def silence(length_ms: int) -> AudioSegment:
    return AudioSegment.silent(duration=max(length_ms, 0), frame_rate=RATE).set_channels(2)


if __name__ == "__main__":
    main()
