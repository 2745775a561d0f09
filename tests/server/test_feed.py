"""The feed, read by podcast parsers that are not ours; and episodes fetched as apps fetch them."""

from __future__ import annotations

import io
import json
import re
import socket
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from typing import Any
from xml.etree import ElementTree as Xml

import httpx
import pytest

pytest.importorskip("uvicorn", reason="the extra `serve` is not installed")
feedparser = pytest.importorskip("feedparser")
podcastparser = pytest.importorskip("podcastparser")

from serving import Home, home_in, make, wait_for  # noqa: E402

from voiceflow.formats.labels import plain  # noqa: E402
from voiceflow.server.jobs.render_records import Render  # noqa: E402
from voiceflow.server.library.feed import ITUNES, PODCAST, Episode, addressed, rss  # noqa: E402
from voiceflow.server.library.feed import item as made  # noqa: E402

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    with home_in(tmp_path_factory.mktemp("home")) as home:
        yield home


@pytest.fixture(scope="module")
def phone(home: Home) -> httpx.Client:
    return home.phone()


@pytest.fixture(scope="module")
def app(home: Home) -> httpx.Client:
    """A podcast app: it has neither cookie nor Origin, only the address."""
    return httpx.Client(base_url=home.base, timeout=60)


@pytest.fixture(scope="module")
def kept(home: Home, phone: httpx.Client) -> list[dict[str, Any]]:
    """Two kept sessions, the newest first."""
    found = []
    for title in ("Morning <1> & more", "Evening"):
        render = make(phone, "two-breaths")
        told = phone.post("/api/v1/kept", json={"render": render["id"], "title": title})
        found.insert(0, told.json())
    return found


@pytest.fixture(scope="module")
def address(home: Home, phone: httpx.Client) -> str:
    return home.feed(phone)


def test_until_something_is_kept_there_is_one_to_begin_with(home: Home) -> None:
    import shutil
    import tempfile
    from pathlib import Path

    folder = Path(tempfile.mkdtemp(dir=home.folder))
    with home_in(folder) as fresh:
        phone = fresh.phone()
        url = fresh.feed(phone)
        parsed = feedparser.parse(phone.get(url).content)
        assert [entry.title for entry in parsed.entries] == ["Short & Sweet"]
        assert phone.get(url).content == phone.get(url).content
    shutil.rmtree(folder)


def test_feedparser_reads_it(app: httpx.Client, address: str, kept: list[dict[str, Any]]) -> None:
    parsed = feedparser.parse(app.get(address).content)
    assert not parsed.bozo
    assert parsed.version == "rss20"
    assert [entry.title for entry in parsed.entries] == ["Evening", "Morning <1> & more"]
    for entry, render in zip(parsed.entries, kept, strict=True):
        (enclosure,) = entry.enclosures
        assert enclosure.type == "audio/mpeg"
        assert int(enclosure.length) == render["bytes"]
        assert enclosure.href.endswith(".mp3")
        assert entry.id.startswith("urn:uuid:")
        assert entry.published_parsed is not None
        assert int(entry.itunes_duration) == round(render["length_ms"] / 1000)
    assert parsed.feed.language == "en"
    assert parsed.feed.image.href.endswith(".jpg")


def test_podcastparser_reads_it(
    phone: httpx.Client, app: httpx.Client, address: str, kept: list[dict[str, Any]]
) -> None:
    body = app.get(address).content
    parsed = podcastparser.parse("http://127.0.0.1/feed.xml", io.BytesIO(body))
    assert parsed["title"] == "voiceflow: my sessions"
    assert len({episode["guid"] for episode in parsed["episodes"]}) == 2
    for episode, render in zip(parsed["episodes"], kept, strict=True):
        assert episode["title"] == render["title"]
        assert episode["total_time"] == round(render["length_ms"] / 1000)
        assert episode["enclosures"][0]["file_size"] == render["bytes"]
        assert episode["enclosures"][0]["mime_type"] == "audio/mpeg"
        assert episode["episode_art_url"].endswith(".jpg")
        chapters = phone.get(render["chapters"]).json()["chapters"]
        assert [(one["start"], one["title"]) for one in episode["chapters"]] == [
            (int(one["startTime"]), one["title"]) for one in chapters
        ]


def test_it_keeps_the_rules_of_rss_and_of_the_namespaces(
    app: httpx.Client, address: str, kept: list[dict[str, Any]]
) -> None:
    answer = app.get(address)
    assert answer.headers["content-type"] == "application/rss+xml; charset=utf-8"
    root = Xml.fromstring(answer.content)
    assert (root.tag, root.get("version")) == ("rss", "2.0")
    (channel,) = root
    for name in ("title", "link", "description", f"{{{ITUNES}}}image", f"{{{ITUNES}}}category",
                 f"{{{ITUNES}}}explicit", f"{{{PODCAST}}}guid"):  # fmt: skip
        assert len(channel.findall(name)) == 1, name
    assert re.fullmatch(r"[0-9a-f-]{36}", channel.findtext(f"{{{PODCAST}}}guid") or "")
    for name in ("pubDate", "lastBuildDate"):
        assert parsedate_to_datetime(channel.findtext(name) or "").tzinfo is not None
    once = ("title", "description", "guid", "pubDate", "enclosure", f"{{{ITUNES}}}duration",
            f"{{{PODCAST}}}chapters", f"{{{PODCAST}}}transcript")  # fmt: skip
    for item in channel.findall("item"):
        for name in once:
            assert len(item.findall(name)) == 1, name
        chapters, words = item.find(f"{{{PODCAST}}}chapters"), item.find(f"{{{PODCAST}}}transcript")
        assert chapters is not None
        assert chapters.get("type") == "application/json+chapters"
        assert words is not None
        assert (words.get("type"), words.get("language")) == ("text/vtt", "en")
        assert next(iter(item.iter("guid"))).get("isPermaLink") == "false"


def test_every_address_in_it_answers(
    home: Home, app: httpx.Client, address: str, kept: list[dict[str, Any]]
) -> None:
    text = app.get(address).text
    urls = set(re.findall(r'(?:url|href)="([^"]+)"', text))
    assert len(urls) == 1 + 4 * 2
    for url in urls:
        assert url.startswith(home.base)
        answer = app.get(url)
        assert answer.status_code == 200
        if url.endswith(".json"):
            assert answer.headers["content-type"] == "application/json+chapters"
            assert json.loads(answer.content)["chapters"][0]["startTime"] == 0
        if url.endswith(".vtt"):
            assert answer.text.startswith("WEBVTT")


def test_lengths_are_exact_to_the_byte(
    app: httpx.Client, address: str, kept: list[dict[str, Any]]
) -> None:
    for item in Xml.fromstring(app.get(address).content).iter("enclosure"):
        assert len(app.get(item.get("url", "")).content) == int(item.get("length", ""))


def test_an_unchanged_feed_is_not_sent_again(
    app: httpx.Client, address: str, kept: list[dict[str, Any]]
) -> None:
    first = app.get(address)
    tag, date = first.headers["etag"], first.headers["last-modified"]
    assert app.get(address, headers={"If-None-Match": tag}).status_code == 304
    assert app.get(address, headers={"If-Modified-Since": date}).status_code == 304
    assert app.get(address, headers={"If-None-Match": '"other"'}).status_code == 200
    head = app.head(address)
    assert head.status_code == 200
    assert head.content == b""


def test_a_new_episode_changes_the_feed_and_the_others_stay(
    phone: httpx.Client, app: httpx.Client, address: str, kept: list[dict[str, Any]]
) -> None:
    first = app.get(address)
    before = {entry.title: entry.id for entry in feedparser.parse(first.content).entries}
    render = make(phone, "two-breaths")
    new = phone.post("/api/v1/kept", json={"render": render["id"], "title": "Noon"}).json()
    second = app.get(address, headers={"If-None-Match": first.headers["etag"]})
    assert second.status_code == 200
    after = {entry.title: entry.id for entry in feedparser.parse(second.content).entries}
    assert before.items() <= after.items()
    assert set(after) - set(before) == {"Noon"}
    phone.delete(f"/api/v1/kept/{new['slug']}")
    assert app.get(address).content == first.content


def test_an_episode_that_is_edited_keeps_its_guid(
    home: Home, phone: httpx.Client, app: httpx.Client, address: str, kept: list[dict[str, Any]]
) -> None:
    render = make(phone, "two-breaths")
    told = phone.post("/api/v1/kept", json={"render": render["id"], "title": "Change me"}).json()
    guid = feedparser.parse(app.get(address).content).entries[0].id
    path = home.library.user / "sessions" / f"{told['slug']}.yaml"
    path.write_text(path.read_text().replace("title: Change me", "title: Changed"))

    def changed() -> bool:
        return bool(feedparser.parse(app.get(address).content).entries[0].title == "Changed")

    wait_for(changed)
    entry = feedparser.parse(app.get(address).content).entries[0]
    assert entry.id == guid
    assert len(app.get(entry.enclosures[0].href).content) == int(entry.enclosures[0].length)
    assert app.get(told["mp3"].replace("/renders", address.removesuffix(".xml"))).status_code == 200
    phone.delete(f"/api/v1/kept/{told['slug']}")
    path.unlink()


def test_a_lost_cache_costs_time_and_no_episode(
    home: Home, app: httpx.Client, address: str, kept: list[dict[str, Any]]
) -> None:
    import shutil

    before = app.get(address).content
    shutil.rmtree(home.studio.folders.store)
    home.studio.renders._held.clear()
    after = app.get(address)
    assert after.status_code == 200
    urls = [one.get("url") for one in Xml.fromstring(before).iter("enclosure")]
    assert [one.get("url") for one in Xml.fromstring(after.content).iter("enclosure")] == urls


def test_a_resumed_download_is_equal_to_the_byte(
    home: Home, app: httpx.Client, address: str, kept: list[dict[str, Any]]
) -> None:
    """A client that breaks off in the middle, again and again, and goes on where it was."""
    render = kept[0]
    url = f"{address.removesuffix('.xml')}/{render['id']}.mp3"
    home.lose(render["id"])  # made anew while it is fetched
    found, tag = b"", ""
    for _ in range(50):
        asked = {"Range": f"bytes={len(found)}-", **({"If-Range": tag} if tag else {})}
        with app.stream("GET", url, headers=asked) as answer:
            assert answer.status_code == 206
            first = int(answer.headers["content-range"].split()[1].split("-")[0])
            assert first == len(found)
            tag = answer.headers["etag"]
            for chunk in answer.iter_bytes(8_192):
                found += chunk
                if len(found) > first + render["bytes"] // 7:
                    break
        if len(found) == render["bytes"]:
            break
    assert found == app.get(url).content


def test_a_client_that_vanishes_leaves_nothing(
    home: Home, app: httpx.Client, address: str, kept: list[dict[str, Any]]
) -> None:
    url = f"{address.removesuffix('.xml')}/{kept[0]['id']}.mp3"
    for _ in range(20):
        link = socket.create_connection(("127.0.0.1", home.port))
        link.sendall(f"GET {url} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        link.recv(100)
        link.close()
    wait_for(lambda: home.studio.streams.count == 0)
    mp3 = home.studio.mp3_files._files[kept[0]["id"]]
    wait_for(lambda: mp3.readers == {})
    assert mp3._waiters == set()
    assert app.get(url).status_code == 200


def test_no_title_breaks_the_feed(home: Home, phone: httpx.Client) -> None:
    render = make(phone, "two-breaths")
    render = home.studio.find_render(render["id"])
    assert isinstance(render, Render)
    from dataclasses import replace

    titles = ("]]>", "<script>", "&amp;", "a\x00b\x0b", "\u202eRTL", '"', "\ufffe")
    for title in titles:
        score = replace(render.score, title=title, about=title)
        episode = Episode(replace(render, score=score), title, 0, 0)
        body = addressed(rss(episode, [made(episode)], 0), "http://x/feed/t", "p")
        (item,) = Xml.fromstring(body).iter("item")
        shown = plain(title)
        assert (item.findtext("title") or "") == shown
        assert not feedparser.parse(body).bozo
