"""Lists of many sessions: parts and pages, what is not sent twice, and how an edit shows."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

import httpx
import pytest

pytest.importorskip("starlette", reason="the extra `serve` is not installed")

from serving import TINY, InProcess, in_process, make, wait_for

from voiceflow.server.auth.phones import fingerprint
from voiceflow.server.jobs.render_records import RenderRecords
from voiceflow.server.library import feed_pages, lists
from voiceflow.server.library.feed import ATOM
from voiceflow.server.library.fragments import Fragments
from voiceflow.server.library.kept import Kept
from voiceflow.server.library.listing import FEW, PAUSE_S
from voiceflow.server.library.sessions import SessionLibrary
from voiceflow.server.pages.page_routes import SESSIONS

_opened: list[str] | None = None


def _note(event: str, arguments: tuple[object, ...]) -> None:
    if _opened is not None and event in ("open", "os.listdir", "os.scandir"):
        _opened.append(f"{event} {arguments[0]!s}")


sys.addaudithook(_note)


def opened(act: Callable[[], object], folder: Path) -> list[str]:
    """The files and folders in `folder` that are opened meanwhile."""
    global _opened
    _opened = []
    try:
        act()
        return [one for one in _opened if str(folder) in one]
    finally:
        _opened = None


@pytest.fixture
def home(tmp_path: Path) -> Iterator[InProcess]:
    with in_process(tmp_path) as home:
        yield home


@pytest.fixture
def phone(home: InProcess) -> httpx.Client:
    return home.phone()


@pytest.fixture
def undecided(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Sessions are listed without being decided, which takes long; the names of those read."""
    read: list[str] = []

    def told(self: SessionLibrary, path: Path) -> dict[str, Any]:
        read.append(path.stem)
        title = re.search("^title: (.*)$", path.read_text(), re.MULTILINE)
        return {"title": title[1] if title else path.stem, "minutes": 1}

    monkeypatch.setattr(SessionLibrary, "_told", told)
    return read


def put(home: InProcess, name: str, text: str = TINY) -> Path:
    path = home.library.user / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def many(home: InProcess, count: int) -> list[str]:
    """So many sessions; their names in the order of the list."""
    for number in range(count):
        title = f"Many {number:04}{' Bridge' if number % 50 == 7 else ''}"
        put(home, f"sessions/no-{number}.yaml", f"title: {title}\nexercises: [bridge]\n")
    return [f"no-{number}" for number in range(count)]


def keep(phone: httpx.Client, title: str) -> dict[str, Any]:
    answer = phone.post("/api/v1/kept", json={"render": make(phone)["id"], "title": title})
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def cards(page: httpx.Response) -> list[str]:
    return re.findall(r'data-slug="([^"]+)"', page.text)


def following(page: httpx.Response) -> str | None:
    found = re.search(r'rel="next" href="([^"]+)"', page.text)
    return found[1].replace("&amp;", "&") if found else None


# Pages


@pytest.mark.usefixtures("undecided")
def test_more_leads_to_every_session_once_and_in_order(
    home: InProcess, phone: httpx.Client
) -> None:
    names = many(home, 2 * SESSIONS + 50)
    seen: list[str] = []
    address: str | None = "/"
    while address is not None:
        page = phone.get(address)
        seen += cards(page)
        address = following(page)
    assert seen == [*names, "not-yet", "two-breaths", "hip-back-short"]
    assert len(cards(phone.get("/"))) == SESSIONS
    assert "1 of 3" in phone.get("/").text
    assert "More sessions" in phone.get("/?page=3").text
    assert cards(phone.get("/?page=2")) == seen[SESSIONS : 2 * SESSIONS]


@pytest.mark.usefixtures("undecided")
@pytest.mark.parametrize("page", ["0", "-1", "x", "99999999999999999999", "²", "1.5", ""])
def test_a_page_that_is_none_is_the_nearest(
    home: InProcess, phone: httpx.Client, page: str
) -> None:
    many(home, SESSIONS)
    asked = phone.get("/", params={"page": page})
    number = 2 if page.startswith("999") else 1
    assert asked.status_code == 200
    assert f"{number} of 2" in asked.text


@pytest.mark.usefixtures("undecided")
def test_a_search_finds_titles_and_goes_on(home: InProcess, phone: httpx.Client) -> None:
    many(home, 2 * SESSIONS + 50)
    found = phone.get("/", params={"q": "  BRIDGE many "})
    assert cards(found) == [f"no-{number}" for number in (7, 57, 107, 157, 207)]
    assert "5 sessions with" in found.text
    all_of_them = phone.get("/?q=many")
    assert cards(phone.get(following(all_of_them) or ""))[0] == f"no-{SESSIONS}"
    none = phone.get("/", params={"q": '<b>"nothing" & all'})
    assert cards(none) == []
    assert "<b>" not in none.text
    assert "&lt;b&gt;" in none.text


def test_a_search_finds_exercises(home: InProcess, phone: httpx.Client) -> None:
    assert "two-breaths" in cards(phone.get("/?q=second+breath"))


def test_a_small_library_has_neither_pages_nor_search(phone: httpx.Client) -> None:
    page = phone.get("/").text
    assert '<nav class="pages"' not in page
    assert 'role="search"' not in page


# Parts


def walk(phone: httpx.Client, address: str, key: str) -> list[str]:
    """The names in all parts of a list, following `next`."""
    found: list[str] = []
    following: str | None = address
    while following is not None:
        told = phone.get(following).json()
        found += [one["slug"] for one in told[key]]
        following = told.get("next")
    return found


@pytest.mark.usefixtures("undecided")
@pytest.mark.parametrize("limit", [1, 2, 3, 7, 500])
def test_parts_are_the_whole(home: InProcess, phone: httpx.Client, limit: int) -> None:
    many(home, 4)
    whole = [one["slug"] for one in phone.get("/api/v1/sessions").json()["sessions"]]
    assert len(whole) == 7
    assert walk(phone, f"/api/v1/sessions?limit={limit}", "sessions") == whole


@pytest.mark.usefixtures("undecided")
def test_without_a_limit_there_are_as_many_as_could_be_kept_till_now(
    home: InProcess, phone: httpx.Client
) -> None:
    many(home, lists.MOST)
    first = phone.get("/api/v1/sessions").json()
    assert len(first["sessions"]) == lists.MOST == 500
    assert len(phone.get(first["next"]).json()["sessions"]) == 3


@pytest.mark.usefixtures("undecided")
def test_what_comes_in_meanwhile_moves_nothing(home: InProcess, phone: httpx.Client) -> None:
    many(home, 4)
    first = phone.get("/api/v1/sessions?limit=2").json()
    put(home, "sessions/new.yaml", "title: A new one\nexercises: [bridge]\n")
    second = phone.get(first["next"]).json()
    assert [one["slug"] for one in second["sessions"]] == ["no-2", "no-3"]


@pytest.mark.parametrize("path", ["/api/v1/sessions", "/api/v1/kept"])
def test_a_wrong_part_is_told(phone: httpx.Client, path: str) -> None:
    for limit in ("0", "501", "-1", "x", "1.5", "²", "9" * 50, ""):
        told = phone.get(path, params={"limit": limit})
        assert told.status_code == 422, limit
        assert told.json()["errors"][0]["field"] == "query.limit"
    gone = phone.get(path, params={"after": "gone"})
    assert gone.status_code == 404
    assert "`after`" in gone.json()["hint"]
    told = phone.get(path, params={"limt": "1"})
    assert told.json()["errors"][0]["hint"] == "did you mean `limit`?"


def test_parts_of_what_is_kept(phone: httpx.Client) -> None:
    for title in ("One", "Two", "Three"):
        keep(phone, title)
    whole = [one["slug"] for one in phone.get("/api/v1/kept").json()["kept"]]
    assert sorted(whole) == ["one", "three", "two"]
    assert walk(phone, "/api/v1/kept?limit=2", "kept") == whole


# The feed


def test_pages_of_the_feed_lead_to_every_episode(
    home: InProcess, phone: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = home.feed(phone)
    kept = {keep(phone, title)["slug"] for title in ("One", "Two", "Three", "Four", "Five")}
    whole = Xml.fromstring(phone.get(address).content)
    assert {one.get("rel") for one in whole.iter(f"{{{ATOM}}}link")} == {"self"}
    monkeypatch.setattr(feed_pages, "MOST", 2)
    guids, following, pages = [], address, 0
    while following:
        root = Xml.fromstring(phone.get(following).content)
        guids += [one.text for one in root.iter("guid") if one.get("isPermaLink")]
        links = {one.get("rel"): one.get("href") for one in root.iter(f"{{{ATOM}}}link")}
        assert links["self"] == home.base + following
        following, pages = (links.get("next") or "").removeprefix(home.base), pages + 1
    assert pages == 3
    assert guids == [one.text for one in whole.iter("guid") if one.get("isPermaLink")]
    assert len(guids) == len(kept) == 5
    assert links["previous"] == f"{home.base}{address}?page=2"
    assert links["first"] == home.base + address
    for number in ("0", "4", "x", ""):
        assert phone.get(f"{address}?page={number}").status_code == 404
    assert phone.get(f"{address}?player=7").status_code == 200, "apps add words of their own"


def test_the_feed_is_each_phone_s_own(home: InProcess, phone: httpx.Client) -> None:
    keep(phone, "One")
    other = home.phone()
    one, two = phone.get(home.feed(phone)), other.get(home.feed(other))
    assert one.headers["etag"] != two.headers["etag"]
    token = home.feed(phone).removesuffix(".xml")
    assert token in one.text
    assert token not in two.text
    assert "\x01" not in one.text + two.text


# Not sent twice


MOVE = "name: Move\nposition: seated\nsetup: Sit.\nreps: 2\nrep: [inhale 3: In., exhale 3: Out.]\n"


def _edit(home: InProcess) -> None:
    put(home, "sessions/mine.yaml", "title: Edited\nexercises: [move]\n")


def _title_of_the_same_length(home: InProcess) -> None:
    put(home, "sessions/mine.yaml", "title: Nime\nexercises: [move]\n")


def _replace(home: InProcess) -> None:
    put(home, "draft", "title: Nime\nexercises: [move]\n").replace(
        home.library.user / "sessions" / "mine.yaml"
    )


def _add(home: InProcess) -> None:
    put(home, "sessions/added.yaml")


def _remove(home: InProcess) -> None:
    (home.library.user / "sessions" / "mine.yaml").unlink()


def _rename(home: InProcess) -> None:
    folder = home.library.user / "sessions"
    (folder / "mine.yaml").rename(folder / "yours.yaml")


def _exercise(home: InProcess) -> None:
    put(home, "exercises/move.yaml", MOVE.replace("reps: 2", "reps: 30"))


def _exercise_gone(home: InProcess) -> None:
    (home.library.user / "exercises" / "move.yaml").unlink()


def _settings(home: InProcess) -> None:
    put(home, "settings.yaml", "voice: silent\ntempo: 0.5\n")


def _pace(home: InProcess) -> None:
    put(home, "paces/steady.yaml", "about: Slow.\ntempo: 0.5\n")


def _hidden(home: InProcess) -> None:
    put(home, "sessions/hip-back-short.yaml")


CHANGES = [
    _edit, _title_of_the_same_length, _replace, _add, _remove, _rename, _exercise, _exercise_gone,
    _settings, _pace, _hidden,
]  # fmt: skip


@pytest.mark.parametrize("change", CHANGES, ids=lambda one: one.__name__)
def test_a_list_is_sent_again_when_a_file_has_changed(
    home: InProcess, phone: httpx.Client, change: Callable[[InProcess], None]
) -> None:
    put(home, "exercises/move.yaml", MOVE)
    put(home, "sessions/mine.yaml", "title: Mine\nexercises: [move]\n")
    for path in ("/", "/api/v1/sessions", "/api/v1/sessions?limit=2"):
        first = phone.get(path)
        asked = {"If-None-Match": first.headers["etag"]}
        same = phone.get(path, headers=asked)
        assert (same.status_code, same.content) == (304, b"")
        assert same.headers["cache-control"] == "private, no-cache"
    tags = {path: phone.get(path).headers["etag"] for path in ("/", "/api/v1/sessions")}
    change(home)
    for path, tag in tags.items():
        answer = phone.get(path, headers={"If-None-Match": tag})
        assert answer.status_code == 200, path
        again = phone.get(path, headers={"If-None-Match": answer.headers["etag"]})
        assert again.status_code == 304


def test_what_is_kept_is_sent_again_when_that_has_changed(
    home: InProcess, phone: httpx.Client
) -> None:
    paths = ("/", "/api/v1/sessions", "/api/v1/kept", home.feed(phone))

    def unchanged() -> list[int]:
        asked = {path: {"If-None-Match": tags[path]} for path in paths}
        return [phone.get(path, headers=asked[path]).status_code for path in paths]

    def look() -> dict[str, str]:
        return {path: phone.get(path).headers["etag"] for path in paths}

    first = keep(phone, "One")
    tags = look()
    assert unchanged() == [304] * 4
    keep(phone, "Two")
    assert unchanged() == [200] * 4
    tags = look()
    path = home.library.user / "sessions" / f"{first['slug']}.yaml"
    path.write_text(path.read_text().replace("title: One", "title: 1st"))
    wait_for(lambda: unchanged() == [200] * 4)
    assert "1st" in phone.get(home.feed(phone)).text
    tags = look()
    path.unlink()
    assert unchanged() == [200] * 4
    tags = look()
    phone.delete("/api/v1/kept/two")
    assert unchanged() == [200] * 4
    assert phone.get("/api/v1/kept").json() == {"kept": []}


def test_only_what_a_change_concerns_is_read_again(
    home: InProcess, phone: httpx.Client, undecided: list[str]
) -> None:
    many(home, 20)
    put(home, "exercises/move.yaml", MOVE)
    put(home, "sessions/mine.yaml", "title: Mine\nexercises: [move]\n")
    phone.get("/api/v1/sessions")
    undecided.clear()
    for change, read in (
        (lambda: put(home, "exercises/move.yaml", MOVE + "# edited\n"), ["mine"]),
        (lambda: put(home, "sessions/no-7.yaml", TINY), ["no-7"]),
        (lambda: put(home, "sessions/another-one.yaml", TINY), ["another-one"]),
        (lambda: (home.library.user / "sessions" / "another-one.yaml").unlink(), []),
    ):
        change()
        phone.get("/api/v1/sessions")
        assert undecided == read
        undecided.clear()


def test_a_marked_session_is_one_that_is_kept(home: InProcess, phone: httpx.Client) -> None:
    text = TINY.replace("title: Two Breaths", "title: '\"kept\":false'")
    put(home, "sessions/hostile.yaml", text)
    answer = phone.post("/api/v1/kept", json={"render": make(phone, "hostile")["id"]})
    told = {one["slug"]: one for one in phone.get("/api/v1/sessions").json()["sessions"]}
    assert {slug for slug, one in told.items() if one["kept"]} == {answer.json()["slug"]}
    assert told["hostile"]["title"] == '"kept":false'
    for slug in told:
        alone = phone.get(f"/api/v1/sessions/{slug}").json()
        assert {key: alone[key] for key in told[slug]} == told[slug]


# A great library


@pytest.fixture
def clock(home: InProcess) -> list[float]:
    now = [0.0]
    home.studio.listing._clock = lambda: now[0]
    return now


@pytest.mark.usefixtures("undecided")
def test_in_a_great_library_an_edit_shows_within_a_second(
    home: InProcess, phone: httpx.Client, clock: list[float]
) -> None:
    many(home, FEW)
    phone.get("/")
    path = put(home, "sessions/no-0.yaml", "title: Aaa\nexercises: [bridge]\n")
    first = "/api/v1/sessions?limit=1"
    assert phone.get(first).json()["sessions"][0]["title"] == "Many 0000"
    clock[0] += PAUSE_S
    assert phone.get(first).json()["sessions"][0]["title"] == "Aaa"
    assert phone.get("/api/v1/sessions/no-0").json()["title"] == "Aaa"
    path.write_text("title: Aab\nexercises: [bridge]\n")
    assert phone.get("/api/v1/sessions/no-0").json()["title"] == "Aab", "its own page, at once"
    kept = keep(phone, "000 of today")
    assert phone.get(first).json()["sessions"][0]["slug"] == kept["slug"], "ours, at once"
    phone.delete(f"/api/v1/kept/{kept['slug']}")
    assert phone.get(first).json()["sessions"][0]["slug"] == "no-0"


def keep_many(home: InProcess, phone: httpx.Client, count: int, records: int) -> None:
    """So many kept sessions, of which the first have records of their renders."""
    render = home.studio.find_render(make(phone)["id"])
    text = "title: Number {}\nexercises: [bridge]\n"
    kept = []
    for number in range(count):
        slug = f"no-{number}"
        digest = fingerprint(text.format(number).encode())
        put(home, f"sessions/{slug}.yaml", text.format(number))
        one = replace(render, id=f"{number:040x}", slug=slug, source=digest)
        if number < records:
            home.studio.renders.put(one)
        when = 1_700_000_000 - number
        kept.append(Kept(slug, f"urn:uuid:{number}", when, when, digest, digest, one.id))
    told = {"version": 1, "kept": [asdict(one) for one in kept]}
    put(home, "serve/kept.json", json.dumps(told))


@pytest.mark.slow
def test_of_five_thousand_kept_sessions_nothing_is_read_twice(
    home: InProcess, phone: httpx.Client, undecided: list[str], clock: list[float]
) -> None:
    keep_many(home, phone, 5_000, feed_pages.MOST)
    address = home.feed(phone)
    paths = ("/", "/?page=30", "/api/v1/sessions", "/api/v1/kept", address)
    home.studio.listing.all()
    before = {path: phone.get(path) for path in paths}
    assert len(undecided) == 5_003
    assert len(before[address].content) < 2_000_000
    assert len(before["/"].content) < 200_000
    for pause in (0.0, PAUSE_S):
        clock[0] += pause
        undecided.clear()
        for path in paths:
            folder = home.folder if not pause else home.library.user / "sessions"
            seen = opened(lambda path=path: phone.get(path), folder)  # type: ignore[misc]
            files = [one for one in seen if one.startswith("open ")]
            assert files == [], (path, pause)
            if not pause:
                assert [one for one in seen if "renders" not in one] == [], path
            same = phone.get(path, headers={"If-None-Match": before[path].headers["etag"]})
            assert same.status_code == 304
    assert undecided == []
    put(home, "sessions/no-42.yaml", "title: Edited\nexercises: [bridge]\n")
    clock[0] += PAUSE_S
    seen = opened(lambda: phone.get("/api/v1/sessions"), home.library.user / "sessions")
    assert {one for one in seen if one.startswith("open ")} <= {
        f"open {home.library.user / 'sessions' / 'no-42.yaml'}"
    }
    assert undecided == ["no-42"]


@pytest.mark.slow
def test_five_thousand_can_be_kept_and_no_more(home: InProcess, phone: httpx.Client) -> None:
    keep_many(home, phone, 4_999, 0)
    keep(phone, "The last")
    answer = phone.post("/api/v1/kept", json={"render": make(phone)["id"], "title": "One more"})
    assert answer.status_code == 409
    assert "5000" in answer.json()["message"]


# What is held


def test_fragments_are_bounded_and_what_cannot_be_made_is_tried_again() -> None:
    asked: list[int] = []

    def made(number: int) -> str | None:
        asked.append(number)
        return str(number) if number >= 0 else None

    held = Fragments(made, 2)
    assert [held.get(number) for number in (1, 2, 1, 3, 1, 2)] == list("121312")
    assert asked == [1, 2, 3, 2]
    assert len(held._held) == 2
    assert held.get(-1) is held.get(-1) is None
    assert asked[-2:] == [-1, -1]


def test_records_are_listed_again_when_one_has_come_or_gone(tmp_path: Path) -> None:
    records = RenderRecords(tmp_path / "renders")
    assert records.ids() == frozenset()
    records.folder.mkdir()
    for name in ("a", "b", "c"):
        (records.folder / f"{name}.json").touch()
        assert name in records.ids()
    (records.folder / "b.json").unlink()
    assert records.ids() == {"a", "c"}
    os.utime(records.folder, (1_000, 1_000))
    records.ids()
    assert opened(records.ids, tmp_path) == []


def test_pinned_records_leave_room_for_others(home: InProcess, phone: httpx.Client) -> None:
    """Else, with more sessions kept than records are held, a render would be gone at once."""
    first = home.studio.find_render(make(phone)["id"])
    records = RenderRecords(home.folder / "records", most=3)
    pinned = frozenset(f"{number:040x}" for number in range(50))
    for name in (*pinned, *(f"f{number:039x}" for number in range(9))):
        records.put(replace(first, id=name))
    records.trim(pinned)
    assert pinned < records.ids()
    assert len(records.ids() - pinned) == 3
