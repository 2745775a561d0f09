"""What the server keeps in the cache is believed only in the form in which it was kept there.

Whoever can write to the cache can write an entry with a right checksum: it is a miss all the same.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("starlette", reason="the extra `serve` is not installed")

from serving import InProcess, in_process, make

from voiceflow.core.cache import Cache
from voiceflow.draw import is_svg
from voiceflow.server.library import session_entry
from voiceflow.server.library.listing import Listing

DEEP = b"[" * 100_000


@pytest.fixture
def home(tmp_path: Path) -> Iterator[InProcess]:
    with in_process(tmp_path) as home:
        yield home


def fill(cache: Cache, kind: str, change: Callable[[bytes], bytes]) -> int:
    """Change every entry of a kind, each with the checksum that it should have; how many."""
    assert cache.root is not None
    found = [path for path in (cache.root / "layout-1" / kind).rglob("*") if path.is_file()]
    for path in found:
        value = cache.get(kind, path.name)
        assert value is not None
        assert cache.put(kind, path.name, change(value))
    return len(found)


def reread(home: InProcess) -> list[dict[str, Any]]:
    """The sessions as a server shows them that has just been started."""
    home.studio.sessions._entries.clear()
    home.studio.listing = Listing(home.studio.sessions)
    answer = home.phone().get("/api/v1/sessions")
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["sessions"]
    return found


def with_key(**changes: Any) -> Callable[[bytes], bytes]:
    return lambda value: json.dumps({**json.loads(value), **changes}).encode()


HARMS: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _: b"",
    "no json": lambda _: b"\x80\x04]\x94.",
    "deep": lambda _: DEEP,
    "a list": lambda _: b"[]",
    "cut": lambda value: value[: len(value) // 2],
    "a key less": lambda value: json.dumps(
        {key: one for key, one in json.loads(value).items() if key != "defaults"}
    ).encode(),
    "a key more": with_key(more=1),
    "a length that is text": with_key(length_ms="long"),
    "a length without end": lambda value: value.replace(b'"length_ms": ', b'"length_ms": 1e999'),
    "minutes that are true": with_key(minutes=True),
    "exercises that are none": with_key(exercises=["<script>"]),
    "errors that are none": with_key(errors=[{"message": 5}]),
    "another session's": with_key(slug="elsewhere"),
    "somebody else's": lambda value: json.dumps(
        {**json.loads(value), "own": not json.loads(value)["own"]}
    ).encode(),
    "defaults that are a list": with_key(defaults=[]),
    "a tempo that is none": lambda value: json.dumps(
        {**(one := json.loads(value)), "defaults": {**one["defaults"], "tempo": "fast"}}
    ).encode(),
}


@pytest.mark.parametrize("harm", HARMS)
def test_a_harmed_session_is_read_again(home: InProcess, harm: str) -> None:
    before = reread(home)
    assert fill(home.studio.cache, "shelf", HARMS[harm]) == len(before)
    assert reread(home) == before


def test_what_is_kept_is_believed(home: InProcess) -> None:
    """Else the tests here would pass by a cache that is never read."""
    before = reread(home)
    fill(home.studio.cache, "shelf", with_key(title="Another Title"))
    assert {one["title"] for one in reread(home)} == {"Another Title"}
    for one in before:
        kept = session_entry.packed(one)
        assert session_entry.unpacked(kept, {"slug": one["slug"], "own": one["own"]}) == one


PICTURES: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _: b"",
    "no picture": lambda _: b"GIF89a",
    "no text": lambda value: value.replace(b"<text", b"\xff\xfe<text"),
    "cut": lambda value: value[:-20],
    "a script": lambda value: value.replace(b"</svg>", b"<script>alert(1)</script>\n</svg>"),
    "a deed": lambda value: value.replace(b'<rect class="', b'<rect onload="alert(1)" class="'),
    "a link": lambda value: value.replace(b"</svg>", b'<a href="https://x.example"/>\n</svg>'),
    "another style": lambda value: value.replace(b"<style>", b"<style>@import url(//x.example);"),
    "an entity": lambda value: value.replace(b"<svg ", b'<!DOCTYPE a [<!ENTITY b "c">]>\n<svg ', 1),
    "a deed of the whole": lambda value: value.replace(b"<svg ", b'<svg onload="alert(1)" ', 1),
    "a foreign part": lambda value: value.replace(b"</svg>", b"<foreignObject/>\n</svg>"),
}


@pytest.mark.parametrize("harm", PICTURES)
def test_a_harmed_picture_is_drawn_again(home: InProcess, harm: str) -> None:
    phone = home.phone()
    render = make(phone)
    addresses = (render["picture"], "/session/two-breaths/picture.svg")
    before = [phone.get(one).content for one in addresses]
    assert all(map(is_svg, before))
    assert fill(home.studio.cache, "picture", PICTURES[harm]) == 2
    home_again = [phone.get(one) for one in addresses]
    assert [one.status_code for one in home_again] == [200, 200]
    assert [one.content for one in home_again] == before


def test_a_picture_that_is_kept_is_shown(home: InProcess) -> None:
    phone = home.phone()
    shown = phone.get("/session/two-breaths/picture.svg").content
    fill(home.studio.cache, "picture", lambda value: value.replace(b"Two Breaths", b"Ten Breaths"))
    assert phone.get("/session/two-breaths/picture.svg").content != shown


def test_a_note_of_what_is_spoken_is_believed_only_as_it_was_written(home: InProcess) -> None:
    studio = home.studio
    studio.warm()
    begun: list[object] = []
    studio.job_queue.begin = lambda key, *_: begun.append(key)  # type: ignore[method-assign,func-returns-value,assignment]
    studio._ended.set()  # so that nothing is tried twice
    studio.warm()
    assert begun == []
    assert fill(studio.cache, "warm", lambda _: b"anything") == 2
    studio.warm()
    assert len(begun) == 2
