"""The API and the pages as a paired phone uses them: choose, listen, change, keep."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

pytest.importorskip("uvicorn", reason="the extra `serve` is not installed")

from serving import TINY, Home, home_in, make, wait_for

from voiceflow.formats import mp3

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    with home_in(tmp_path_factory.mktemp("home")) as home:
        yield home


@pytest.fixture(scope="module")
def phone(home: Home) -> httpx.Client:
    return home.phone()


# Sessions


def test_sessions_are_listed_the_own_ones_first(phone: httpx.Client) -> None:
    sessions = phone.get("/api/v1/sessions").json()["sessions"]
    assert [one["slug"] for one in sessions][-1] == "hip-back-short"
    tiny = next(one for one in sessions if one["slug"] == "two-breaths")
    assert tiny["own"]
    assert not tiny["kept"]
    assert tiny["positions"] == ["seated", "supine"]
    assert tiny["minutes"] >= 1
    assert tiny["errors"] == []
    short = next(one for one in sessions if one["slug"] == "hip-back-short")
    assert not short["own"]
    assert "ball" in short["equipment"] or short["equipment"] == []


def test_a_script_with_an_error_shows_it_where_it_is(phone: httpx.Client) -> None:
    session = phone.get("/api/v1/sessions/not-yet").json()
    assert session["title"] == "Not Yet Right"
    assert session["errors"][0] == {
        "file": "sessions/not-yet.yaml",
        "line": 7,
        "column": 9,
        "message": session["errors"][0]["message"],
        "hint": session["errors"][0]["hint"],
        "severity": "error",
    }
    assert "inhale" in session["errors"][0]["hint"]
    page = phone.get("/session/not-yet")
    assert page.status_code == 200
    assert "sessions/not-yet.yaml:7" in page.text
    answer = phone.post("/api/v1/renders", json={"session": "not-yet"})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["line"] == 7


def test_an_edit_shows_at_the_next_look(home: Home, phone: httpx.Client) -> None:
    path = home.library.user / "sessions" / "edited.yaml"
    path.write_text(TINY)
    assert phone.get("/api/v1/sessions/edited").json()["title"] == "Two Breaths"
    path.write_text(TINY.replace("Two Breaths", "Three Breaths"))
    assert phone.get("/api/v1/sessions/edited").json()["title"] == "Three Breaths"
    one = make(phone, "edited")["id"]
    path.write_text(TINY.replace("reps: 3", "reps: 4"))
    assert make(phone, "edited")["id"] != one
    path.write_text("title: [")
    assert phone.get("/api/v1/sessions/edited").json()["errors"]
    path.unlink()
    assert phone.get("/api/v1/sessions/edited").status_code == 404


def test_an_exercise_that_is_edited_changes_the_sessions_that_name_it(
    home: Home, phone: httpx.Client
) -> None:
    folder = home.library.user / "exercises"
    folder.mkdir(exist_ok=True)
    own = home.library.user / "sessions" / "named.yaml"
    own.write_text("title: Named\nexercises: [my-move]\n")
    assert "my-move" in phone.get("/api/v1/sessions/named").json()["errors"][0]["message"]
    move = (
        "name: Move\nposition: seated\nsetup: Sit.\nreps: 2\nrep: [inhale 3: In., exhale 3: Out.]"
    )
    (folder / "my-move.yaml").write_text(move)
    assert phone.get("/api/v1/sessions/named").json()["errors"] == []
    before = phone.get("/api/v1/sessions/named").json()["length_ms"]
    (folder / "my-move.yaml").write_text(move.replace("reps: 2", "reps: 9"))
    assert phone.get("/api/v1/sessions/named").json()["length_ms"] > before
    own.unlink()


def test_a_great_library_is_shown_at_once_and_then_as_a_whole(
    home: Home, phone: httpx.Client
) -> None:
    listing = home.studio.listing
    for number in range(4):
        path = home.library.user / "sessions" / f"great-{number}.yaml"
        path.write_text(TINY.replace("Two Breaths", f"Great {number}"))
    glimpse = [one for one in listing.all(limit_s=-1) if one.slug.startswith("great")]
    assert [one.title for one in glimpse] == [f"Great {number}" for number in range(4)]
    wait_for(lambda: not listing.looking)
    whole = [json.loads(one.told) for one in listing.all(limit_s=-1)]
    assert all(one["minutes"] for one in whole if one["slug"].startswith("great"))
    assert phone.get("/").text.count("Great ") == 4
    for number in range(4):
        (home.library.user / "sessions" / f"great-{number}.yaml").unlink()


def test_what_can_be_chosen_is_told(phone: httpx.Client) -> None:
    session = phone.get("/api/v1/sessions/hip-back-short").json()
    choices, defaults = session["choices"], session["defaults"]
    kinds = {"paces": "pace", "voices": "voice", "levels": "level", "details": "detail"}
    for kind, key in {**kinds, "tones": "tones", "beds": "bed", "phrases": "phrases"}.items():
        assert defaults[key] in [one["name"] for one in choices[kind]], kind
    assert defaults["voice"] == "silent"
    everything = phone.get("/api/v1/choices").json()
    assert {one["name"] for one in everything["equipment"]} >= {"ball", "band"}


def test_the_pages_are_there(phone: httpx.Client) -> None:
    render = make(phone)
    pages = ("/", "/session/two-breaths", f"/player/{render['id']}", "/settings", "/offline")
    for path in pages:
        answer = phone.get(path)
        assert answer.status_code == 200, path
        assert answer.headers["content-type"].startswith("text/html")
        assert not re.search(r"<script(?![^>]*src)|<style|style=|\bon\w+=", answer.text), path
        assert "https://" not in answer.text, path  # nothing from elsewhere
    picture = phone.get("/session/two-breaths/picture.svg")
    assert picture.headers["content-type"] == "image/svg+xml"
    tag = picture.headers["etag"]
    again = phone.get("/session/two-breaths/picture.svg", headers={"If-None-Match": tag})
    assert again.status_code == 304


# Renders


def test_a_render_is_decided_and_listened_to(phone: httpx.Client) -> None:
    render = make(phone, "two-breaths", tempo=0.9)
    answer = phone.get(render["mp3"])
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "audio/mpeg"
    assert len(answer.content) == render["bytes"] == int(answer.headers["content-length"])
    assert answer.content[:3] == b"ID3"
    assert render["bytes"] > mp3.stream_length(render["length_ms"], 2)
    assert answer.headers["etag"] == f'"{render["id"]}"'


def test_the_same_wish_is_the_same_render(home: Home, phone: httpx.Client) -> None:
    one, two = make(phone, tempo=0.8), make(home.phone(), tempo="0.80")
    assert one["id"] == two["id"]
    assert make(phone, tempo=0.9)["id"] != one["id"]
    assert make(phone, tempo=None)["id"] == make(phone)["id"]


def test_parts_of_a_render_make_the_whole(phone: httpx.Client) -> None:
    render = make(phone)
    size, url = render["bytes"], render["mp3"]
    whole = phone.get(url).content
    parts = [
        phone.get(url, headers={"Range": f"bytes={at}-{min(at + 49_999, size - 1)}"})
        for at in range(0, size, 50_000)
    ]
    assert {part.status_code for part in parts} == {206}
    assert b"".join(part.content for part in parts) == whole
    tail = phone.get(url, headers={"Range": "bytes=-100"})
    assert tail.content == whole[-100:]
    beyond = phone.get(url, headers={"Range": f"bytes={size}-"})
    assert beyond.status_code == 416
    assert beyond.headers["content-range"] == f"bytes */{size}"
    head = phone.head(url)
    assert head.content == b""
    assert int(head.headers["content-length"]) == size
    assert head.headers["accept-ranges"] == "bytes"
    assert phone.get(url, headers={"If-None-Match": head.headers["etag"]}).status_code == 304


def test_a_head_makes_nothing(home: Home, phone: httpx.Client) -> None:
    render = make(phone, "two-breaths", tempo=1.33)
    home.lose(render["id"])
    assert phone.head(render["mp3"]).status_code == 200
    assert phone.get(f"/api/v1/renders/{render['id']}").json()["state"] == "waiting"


def test_the_score_goes_with_it(phone: httpx.Client) -> None:
    render = make(phone)
    score = phone.get(render["score"]).json()
    assert score["length_ms"] == render["length_ms"]
    assert score["title"] == "Two Breaths"
    assert {event["kind"] for event in score["events"]} >= {"speech", "tone"}
    assert [one["position"] for one in score["positions"]] == ["seated", "supine"]
    spans = [(one["start_ms"], one["end_ms"]) for one in score["positions"]]
    assert spans[0][1] == spans[1][0] < spans[1][1] == score["close_ms"] < score["length_ms"]


def test_chapters_and_words_go_with_it(phone: httpx.Client) -> None:
    render = make(phone)
    chapters = phone.get(render["chapters"]).json()
    assert chapters["version"] == "1.2.0"
    starts = [one["startTime"] for one in chapters["chapters"]]
    assert starts == sorted(starts)
    assert starts[0] == 0
    words = phone.get(render["transcript"])
    assert words.headers["content-type"] == "text/vtt; charset=utf-8"
    assert words.text.startswith("WEBVTT\n")
    cues = re.findall(r"^(\S+) --> (\S+)\n(.+)$", words.text, re.MULTILINE)
    said = [e for e in phone.get(render["score"]).json()["events"] if e["kind"] == "speech"]
    assert len(cues) == len(said)
    assert all(start < end for start, end, _ in cues)
    assert "Sit &amp; breathe." in words.text


def test_cover_and_picture_go_with_it(phone: httpx.Client) -> None:
    render = make(phone)
    cover = phone.get(render["cover"])
    assert cover.headers["content-type"] == "image/jpeg"
    assert cover.content[:2] == b"\xff\xd8"
    picture = phone.get(render["picture"])
    assert picture.headers["content-type"] == "image/svg+xml"
    assert "sandbox" in picture.headers["content-security-policy"]


def test_what_never_changes_is_not_sent_twice(phone: httpx.Client) -> None:
    render = make(phone)
    for key in ("score", "chapters", "transcript", "cover"):
        tag = phone.get(render[key]).headers["etag"]
        assert phone.get(render[key], headers={"If-None-Match": tag}).status_code == 304


def test_a_render_says_how_far_it_is(phone: httpx.Client) -> None:
    render = make(phone)
    phone.get(render["mp3"])
    url = f"/api/v1/renders/{render['id']}"
    wait_for(lambda: phone.get(url).json()["state"] == "ready")
    assert phone.get(url).json()["made"] == render["bytes"]


def test_slower_from_the_next_exercise_on(phone: httpx.Client) -> None:
    render = make(phone)
    score = phone.get(render["score"]).json()
    second = score["positions"][1]["start_ms"]
    url = f"/api/v1/renders/{render['id']}/from"
    slow = phone.post(url, json={"event_ms": second - 5_000, "tempo": 0.7})
    assert slow.status_code == 201
    new = phone.get(slow.json()["score"]).json()
    assert slow.json()["tempo"] == 0.7
    assert new["length_ms"] > score["length_ms"]
    assert slow.json()["resume_ms"] == new["positions"][1]["start_ms"] > second
    # From the last exercise on there is only the close.
    last = phone.post(url, json={"event_ms": second + 1, "detail": "brief"}).json()
    closing = phone.get(last["score"]).json()
    assert last["resume_ms"] == closing["close_ms"]
    # Changes add up.
    more = phone.post(
        f"/api/v1/renders/{slow.json()['id']}/from", json={"event_ms": 0, "detail": "brief"}
    ).json()
    assert more["options"] == {"tempo": 0.7, "detail": "brief"}
    assert more["resume_ms"] == phone.get(more["score"]).json()["positions"][0]["start_ms"]


def test_slower_where_the_time_was_fitted(phone: httpx.Client) -> None:
    render = make(phone, "two-breaths", minutes="3:30")
    assert render["length_ms"] == pytest.approx(210_000, abs=500)
    url = f"/api/v1/renders/{render['id']}/from"
    slow = phone.post(url, json={"event_ms": 0, "tempo": 0.3}).json()
    assert slow["length_ms"] != render["length_ms"]  # it could not be kept to
    easy = phone.post(url, json={"event_ms": 0, "tempo": 0.95}).json()
    assert easy["length_ms"] == pytest.approx(210_000, abs=500)


def test_minutes_out_of_reach_say_what_can_be_reached(phone: httpx.Client) -> None:
    answer = phone.post(
        "/api/v1/renders", json={"session": "two-breaths", "options": {"minutes": 60}}
    )
    assert answer.status_code == 422
    assert "from about" in answer.json()["hint"]


def test_every_option_is_understood(phone: httpx.Client) -> None:
    options = {
        "minutes": "4:00", "pace": "steady", "tempo": 1.1, "breath_in": 3.5, "breath_out": "4s",
        "detail": "brief", "level": 2, "equipment": ["ball"], "voice": "silent", "tones": "none",
        "bed": "none", "name": "Ana Íñiguez", "phrases": "plain", "tips": False, "rest": 4,
    }  # fmt: skip
    render = make(phone, "hip-back-short", **options)
    assert render["length_ms"] == pytest.approx(240_000, abs=500)
    assert "Ana Íñiguez" in phone.get(render["transcript"]).text


# Keeping


def test_what_is_kept_is_a_session_of_ones_own(home: Home, phone: httpx.Client) -> None:
    render = make(phone, "hip-back-short", tempo=1.2)
    kept = phone.post("/api/v1/kept", json={"render": render["id"], "title": "My Mornïng"})
    assert kept.status_code == 201
    told = kept.json()
    assert told["slug"] == "my-morning"
    text = (home.library.user / "sessions" / "my-morning.yaml").read_text()
    assert text.splitlines()[0].startswith("# Kept on the phone: `hip-back-short`")
    assert "title: My Mornïng" in text
    assert "tempo: 1.2" in text
    assert "      - bridge: {reps: 3}" in text
    sessions = phone.get("/api/v1/sessions").json()["sessions"]
    mine = next(one for one in sessions if one["slug"] == "my-morning")
    assert (mine["own"], mine["kept"], mine["errors"]) == (True, True, [])
    assert [one["slug"] for one in phone.get("/api/v1/kept").json()["kept"]] == ["my-morning"]
    assert phone.head(told["mp3"]).status_code == 200
    gone = phone.delete("/api/v1/kept/my-morning").json()
    assert gone["script_removed"]
    assert not (home.library.user / "sessions" / "my-morning.yaml").exists()
    assert phone.delete("/api/v1/kept/my-morning").status_code == 404


def test_nothing_is_written_over(home: Home, phone: httpx.Client) -> None:
    folder = home.library.user / "sessions"
    (folder / "mine.yaml").write_text(TINY)
    render = make(phone)
    slugs = [
        phone.post("/api/v1/kept", json={"render": render["id"], "title": title}).json()["slug"]
        for title in ("Mine", "mine!", "MINE", "Bridge", "Hip-Back Short", "con", "日本語", "../..")
    ]
    assert (folder / "mine.yaml").read_text() == TINY
    assert slugs == [
        "mine-2", "mine-3", "mine-4",
        "bridge-2",  # a session called `bridge` would hide the exercise from others beside it
        "hip-back-short-2", "my-con", "session", "session-2",
    ]  # fmt: skip
    for slug in slugs:
        phone.delete(f"/api/v1/kept/{slug}")
    assert (folder / "mine.yaml").exists()
    (folder / "mine.yaml").unlink()


def test_a_kept_session_that_was_edited_is_not_deleted(home: Home, phone: httpx.Client) -> None:
    render = make(phone)
    kept = phone.post("/api/v1/kept", json={"render": render["id"], "title": "Edit me"}).json()
    path = home.library.user / "sessions" / f"{kept['slug']}.yaml"
    path.write_text(path.read_text() + "# mine\n")
    gone = phone.delete(f"/api/v1/kept/{kept['slug']}").json()
    assert not gone["script_removed"]
    assert "stays" in gone["note"]
    assert path.exists()
    assert phone.get("/api/v1/kept").json()["kept"] == []
    path.unlink()


def test_a_session_edited_since_it_was_heard_is_not_kept_unseen(
    home: Home, phone: httpx.Client
) -> None:
    path = home.library.user / "sessions" / "moving.yaml"
    path.write_text(TINY)
    render = make(phone, "moving")
    path.write_text(TINY + "# edited\n")
    answer = phone.post("/api/v1/kept", json={"render": render["id"]})
    assert answer.status_code == 409
    assert "Listen again" in answer.json()["hint"]
    path.unlink()
    assert phone.post("/api/v1/kept", json={"render": render["id"]}).status_code == 404


def test_what_is_kept_with_a_length_keeps_it(home: Home, phone: httpx.Client) -> None:
    render = make(phone, "hip-back-short", minutes=6)
    kept = phone.post("/api/v1/kept", json={"render": render["id"], "title": "Six"}).json()
    assert kept["length_ms"] == pytest.approx(360_000, abs=500)
    session = phone.get(f"/api/v1/sessions/{kept['slug']}").json()
    assert session["minutes"] == 6
    assert make(phone, kept["slug"])["id"] == kept["id"]
    longer = make(phone, kept["slug"], minutes="6:30")
    assert longer["length_ms"] == pytest.approx(390_000, abs=500)
    phone.delete(f"/api/v1/kept/{kept['slug']}")


# Many at once


def test_fifty_phones_ask_at_once(tmp_path: Path) -> None:
    """Every one gets its session, or is told when to come back; none gets another's."""
    results: dict[int, tuple[int, bytes]] = {}

    def ask(phone: httpx.Client, number: int) -> None:
        wish = {"session": "two-breaths", "options": {"name": f"Number {number}"}}
        answer = phone.post("/api/v1/renders", json=wish)
        while answer.status_code == 503:
            assert int(answer.headers["retry-after"]) >= 1
            answer = phone.post("/api/v1/renders", json=wish)
        words = phone.get(answer.json()["transcript"]).content
        data = phone.get(answer.json()["mp3"]).content
        results[number] = len(data) - answer.json()["bytes"], words

    with home_in(tmp_path) as home:
        phones = [home.phone() for _ in range(50)]
        threads = [threading.Thread(target=ask, args=(p, n)) for n, p in enumerate(phones)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(results) == 50
    for number, (off, words) in results.items():
        assert off == 0
        assert f"Number {number}".encode() in words


def test_words_are_spoken_before_they_are_asked_for(home: Home, phone: httpx.Client) -> None:
    home.studio.warm()
    renders = home.studio.renders.folder
    before = set(renders.iterdir())
    made = make(phone, "two-breaths")
    assert renders / f"{made['id']}.json" in before
    home.studio.warm()  # the next time there is nothing to do
    assert home.studio.job_queue.waiting == 0


# The end, and what is after it


def test_a_server_that_was_ended_goes_on_where_it_was(tmp_path: Path) -> None:
    with home_in(tmp_path) as first:
        phone = first.phone()
        cookie = phone.cookies["vf"]
        render = make(phone)
        whole = phone.get(render["mp3"]).content
        kept = phone.post("/api/v1/kept", json={"render": render["id"], "title": "K"}).json()
    for path in (tmp_path / "cache" / "serve-1" / "spool").iterdir():
        path.unlink()
    # The script is edited meanwhile: what was heard is heard again all the same.
    script = tmp_path / "user" / "sessions" / "two-breaths.yaml"
    script.write_text(TINY.replace("reps: 3", "reps: 5"))
    with home_in(tmp_path) as second:
        phone = second.client(cookies={"vf": cookie})
        half = len(whole) // 2
        rest = phone.get(render["mp3"], headers={"Range": f"bytes={half}-"})
        assert rest.status_code == 206
        assert whole[:half] + rest.content == whole
        assert phone.get(f"/player/{render['id']}").status_code == 200
        assert phone.get(kept["mp3"]).status_code == 200
        assert make(phone)["id"] != render["id"]


def test_a_render_whose_sounds_have_changed_is_gone(tmp_path: Path) -> None:
    """The same id is the same bytes, or nothing."""
    with home_in(tmp_path) as home:
        tones = home.library.user / "sounds" / "mine.yaml"
        tones.parent.mkdir()
        text = (home.library.sounds / "pluck.yaml").read_text()
        tones.write_text(text)
        phone = home.phone()
        render = make(phone, tones="mine")
        whole = phone.get(render["mp3"]).content
        assert len(whole) == render["bytes"]
        tones.write_text(text.replace("name: Pluck", "name: Other"))
        home.lose(render["id"])
        same = phone.get(render["mp3"])
        if same.status_code == 200:  # only its name was changed
            assert same.content == whole
        tones.unlink()
        home.lose(render["id"])
        answer = phone.get(render["mp3"])
        assert answer.status_code == 410
        assert answer.json()["error"] == "gone"
        assert "Listen again" in answer.json()["hint"]


def test_a_record_that_was_scribbled_on_is_not_believed(tmp_path: Path) -> None:
    with home_in(tmp_path) as home:
        phone = home.phone()
        render = make(phone)
        path = tmp_path / "cache" / "serve-1" / "renders" / f"{render['id']}.json"
        text = path.read_text()
    path.write_text(text.replace('"bytes": ', '"bytes": 9'))
    with home_in(tmp_path) as home:
        assert home.phone().get(render["mp3"]).status_code == 404
        again = make(home.phone())
        assert again["id"] == render["id"]
        assert json.loads(path.read_text().partition("\n")[2])["bytes"] == render["bytes"]
