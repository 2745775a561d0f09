"""Files that version 0.1.0 wrote are read, and written the same: phones, kept sessions, renders."""

from __future__ import annotations

import json
from hashlib import blake2b
from pathlib import Path

import pytest

pytest.importorskip("starlette", reason="the extra `serve` is not installed")

from serving import TINY, in_process

from voiceflow.server.auth.phones import Phones
from voiceflow.server.jobs.render_records import RenderRecords

TOKEN = "wfSIH-kqPPhJqoiwXZSfMZWDu3V_UmHWjjSmH0KRkBE"
FEED = "cB78aUgVkfYlv_kqPylVN7f3VMu6IKxpPKiSSoB3ogU"
PHONES = """\
{
 "version": 1,
 "phones": [
  {
   "id": "d332758ef670",
   "name": "Phone",
   "token": "8634544f408e1c7aed9eafcf166864aa51098519319ebecc23843972b22af40c",
   "created": 1795884663,
   "seen": 1795884663,
   "feed": "5709f384e7b6cdce70987322d479492d1d1c5cd094819727c9084eb3126d685a",
   "generation": 0
  }
 ]
}"""
RENDER = "54c1d763c43cbfd8aa6923aff55ff5d6329338d2"
KEPT = """\
{
 "version": 1,
 "kept": [
  {
   "slug": "two-breaths",
   "guid": "urn:uuid:bff57d62-874f-4ce3-a570-44c4fbea1875",
   "created": 1795884663,
   "changed": 1795884663,
   "digest": "%(digest)s",
   "written": "%(digest)s",
   "render": "54c1d763c43cbfd8aa6923aff55ff5d6329338d2"
  }
 ]
}"""
BODY = (
    '{"version": 1, "id": "54c1d763c43cbfd8aa6923aff55ff5d6329338d2", "slug": '
    '"one", "source": "e1f57428d8e3724e41d202b2c56ec6ec", "created": 1795884663, '
    '"given": {"tempo": 0.9}, "score": {"title": "One", "about": "", "language": '
    '"en", "voice": "silent", "pace": "steady", "tones": "bowl", "events": '
    '[{"kind": "tone", "start_ms": 240, "length_ms": 1680, "name": "start", '
    '"spoken": "", "moment": "welcome", "exercise": null, "side": null, "rep": '
    'null, "breath": null}, {"kind": "speech", "start_ms": 2184, "length_ms": 1607, '
    '"name": "Welcome to One.", "spoken": "Welcome to One.", "moment": "welcome", '
    '"exercise": null, "side": null, "rep": null, "breath": null}, {"kind": "tone", '
    '"start_ms": 45624, "length_ms": 3264, "name": "inhale", "spoken": "", '
    '"moment": "phase", "exercise": "Sit", "side": null, "rep": 1, "breath": '
    '"inhale"}], "chapters": [{"title": "One", "start_ms": 0, "end_ms": 26736}, '
    '{"title": "Sit", "start_ms": 26736, "end_ms": 69024}, {"title": "Close", '
    '"start_ms": 69024, "end_ms": 109152}], "length_ms": 109152}, "rate": 145, '
    '"parts": [{"slug": "sit", "name": "Sit", "title": "Sit", "position": "seated", '
    '"section": "", "effort": "easy", "start_ms": 26736, "reps": 6, "sets": 1, '
    '"place": [3, 5]}], "close_ms": 69024, "bytes": 5000, "head_bytes": 1987, '
    '"bed": null, "tempo": 0.9, "detail": "full", "mono": false}'
)


def record() -> bytes:
    """A render's file: a checksum, and then the JSON."""
    body = BODY.encode()
    return blake2b(body, digest_size=32).hexdigest().encode() + b"\n" + body


def test_phones_stay_paired(tmp_path: Path) -> None:
    path = tmp_path / "phones.json"
    path.write_text(PHONES)
    phones = Phones(path)
    found = phones.find(TOKEN)
    assert found is not None
    assert phones.find_feed(FEED) == found
    assert phones.feed_token(TOKEN, found) == FEED
    phones.pair("another")
    assert phones.revoke(next(one.id for one in phones.all() if one.name == "another"))
    assert path.read_text() == PHONES


def test_a_render_is_read_and_written_alike(tmp_path: Path) -> None:
    path = tmp_path / f"{RENDER}.json"
    path.write_bytes(record())
    renders = RenderRecords(tmp_path)
    render = renders.get(RENDER)
    assert render is not None
    assert render.parts[0].place == (3, 5)
    assert render.given == {"tempo": 0.9}
    path.unlink()
    renders.put(render)
    assert path.read_bytes() == record()


def test_a_library_and_a_cache_of_then_are_opened(tmp_path: Path) -> None:
    with in_process(tmp_path) as home:
        pass
    (tmp_path / "user" / "serve").mkdir(exist_ok=True)
    (tmp_path / "user" / "serve" / "phones.json").write_text(PHONES)
    digest = blake2b(TINY.encode(), digest_size=16).hexdigest()
    (tmp_path / "user" / "serve" / "kept.json").write_text(KEPT % {"digest": digest})
    store = tmp_path / "cache" / "serve-1"
    for folder in ("renders", "spool"):
        (store / folder).mkdir(parents=True, exist_ok=True)
    (store / "renders" / f"{RENDER}.json").write_bytes(record())
    size = json.loads(BODY)["bytes"]
    (store / "spool" / f"{RENDER}.mp3").write_bytes(b"x" * size)
    with in_process(tmp_path) as home:
        phone = home.program(headers={"Cookie": f"vf={TOKEN}"})
        (kept,) = phone.get("/api/v1/kept").json()["kept"]
        assert (kept["slug"], kept["id"]) == ("two-breaths", RENDER)
        assert phone.get(kept["mp3"]).content == b"x" * size  # not made again
        assert phone.get(f"/player/{RENDER}").status_code == 200
        assert f"<title>{kept['title']}" in home.program().get(f"/feed/{FEED}.xml").text
