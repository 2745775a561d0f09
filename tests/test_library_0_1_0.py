"""A library that version 0.1.0 wrote is opened by this one: nothing that a user has is lost.

A session whose length has changed since stands in `CHANGED`, with what changed it; CHANGELOG says
the same to users.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

import voiceflow
from voiceflow.core.cache import Cache
from voiceflow.core.errors import ScriptError
from voiceflow.player.bookmarks import Bookmarks
from voiceflow.score.options import Context, Options
from voiceflow.score.prepare import prepare
from voiceflow.script.lookup import Library, content

ROOT: Final = Path(__file__).parent / "library-0.1.0"
EXPECTED: Final[dict[str, Any]] = json.loads((ROOT / "expected.json").read_text())
OWN: Final[dict[str, Any]] = EXPECTED["sessions"]
CHANGED: Final[dict[str, int]] = {
    "hip-care": 609744,  # `&` in its title is said as a word
    "lunch": 281856,  # written rests are exact; set-ups are said in the first round only
}


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Library:
    """A copy of the old library, and its cache beside it."""
    user, cache = tmp_path / "home", tmp_path / "cache"
    shutil.copytree(ROOT / "home", user)
    shutil.copytree(ROOT / "cache", cache, dirs_exist_ok=True)
    for name in ("phones.json", "kept.json"):
        (user / "serve" / name).chmod(0o600)
    monkeypatch.setenv("VOICEFLOW_HOME", str(user))
    monkeypatch.setenv("VOICEFLOW_CACHE", str(cache))
    return Library(user, content() / "scripts", content() / "sounds")


# Its `minutes: 2:30` took from its written silences, which are kept now: an error says so.
TOO_SHORT: Final = "evening-quiet"
DECIDED: Final = sorted(set(OWN) - {TOO_SHORT})


def test_a_length_that_took_from_written_silences_is_an_error_now(library: Library) -> None:
    with pytest.raises(ScriptError, match="cannot last 2:30") as caught:
        prepare(TOO_SHORT, Options(voice="silent"), Context(library, Cache(None), 1), ahead=False)
    (problem,) = caught.value.problems
    assert problem.mark.line
    shortest = problem.hint.split(" to ")[0].removeprefix("from about ")
    asked = Options(voice="silent", minutes_ms=1000 * (120 + int(shortest.split(":")[1]) + 3))
    assert prepare(TOO_SHORT, asked, Context(library, Cache(None), 1), ahead=False)


@pytest.mark.parametrize("slug", DECIDED)
def test_every_session_is_decided_as_it_was(library: Library, tmp_path: Path, slug: str) -> None:
    context = Context(library, Cache(tmp_path / "cache"), 1)
    decision = prepare(slug, Options(voice="silent"), context, ahead=False).decision
    assert decision.session.title == OWN[slug]["title"]
    assert decision.score.language == OWN[slug]["language"]
    assert len(decision.score.chapters) == OWN[slug]["chapters"]
    assert decision.score.length_ms == CHANGED.get(slug, OWN[slug]["length_ms"])
    assert decision.score.tones == OWN[slug]["tones"]
    assert decision.bed == OWN[slug]["bed"]


@pytest.mark.parametrize("slug", EXPECTED["settings_of_session"])
def test_the_settings_of_a_user_are_read(library: Library, slug: str) -> None:
    expected = EXPECTED["settings_of_session"][slug]
    context = Context(library, Cache(None), 1)
    pacing = prepare(slug, Options(voice="silent"), context, ahead=False).decision.plan.pacing
    assert {name: str(getattr(pacing, name)) for name in expected} == expected


@pytest.mark.parametrize("slug", EXPECTED["bookmarks"])
def test_a_session_goes_on_where_it_was_left(library: Library, slug: str) -> None:
    expected, found = EXPECTED["bookmarks"][slug], Bookmarks(library).get(slug)
    assert found is not None
    assert (found.part, found.title) == (expected["part"], expected["title"])
    assert (found.into_ms, found.length_ms) == (expected["into_ms"], expected["length_ms"])


def test_the_public_functions_open_it(library: Library) -> None:
    assert voiceflow.load("my-morning").title == OWN["my-morning"]["title"]
    assert voiceflow.arrange("lunch").score.title == OWN["lunch"]["title"]


class TestServed:
    """The phones, and what they kept."""

    @pytest.fixture
    def home(self, library: Library, tmp_path: Path) -> Any:
        pytest.importorskip("starlette", reason="the extra `serve` is not installed")
        from serving import in_process

        with in_process(tmp_path, library=library) as inside:
            yield inside

    def test_paired_phones_stay_paired_and_forgotten_ones_forgotten(self, home: Any) -> None:
        for one in EXPECTED["phones"]:
            assert _phone(home, one["token"]).get("/api/v1/sessions").status_code == 200
            assert home.program().get(f"/feed/{one['feed']}.xml").status_code == 200
        forgotten = EXPECTED["forgotten_phone"]
        assert _phone(home, forgotten["token"]).get("/api/v1/sessions").status_code == 401
        before = [one["feed_before_renewal"] for one in EXPECTED["phones"][1:]]
        for feed in (forgotten["feed"], *before):
            assert home.program().get(f"/feed/{feed}.xml").status_code in (401, 404)

    def test_a_phone_lists_its_sessions(self, home: Any) -> None:
        phone = _phone(home, EXPECTED["phones"][0]["token"])
        listed = {one["slug"]: one for one in phone.get("/api/v1/sessions").json()["sessions"]}
        assert set(OWN) <= set(listed)
        for slug in OWN:
            assert listed[slug]["title"] == OWN[slug]["title"]
            assert bool(listed[slug]["errors"]) == (slug == TOO_SHORT)
        assert {slug for slug in listed if listed[slug].get("kept")} == {
            one["slug"] for one in EXPECTED["kept"]
        }

    def test_kept_sessions_are_in_the_feed_under_their_identities(self, home: Any) -> None:
        body = home.program().get(f"/feed/{EXPECTED['phones'][0]['feed']}.xml").text
        for one in EXPECTED["kept"]:
            assert one["guid"] in body
        assert EXPECTED["removed"]["record"] not in body

    def test_kept_sessions_that_cannot_be_made_as_they_were_are_made_again(self, home: Any) -> None:
        """Their tones have changed since 0.1.0: without this they would be listed and mute."""
        told: list[str] = []
        home.studio.on_renewed = told.extend
        before = {one["slug"]: one["record"] for one in EXPECTED["kept"]}
        home.studio.look(warm=False)
        assert sorted(told) == sorted(one["title"] for one in EXPECTED["kept"])
        keeper = _keeper(home)
        _wait(lambda: all(one.render != before[one.slug] for one in keeper.all()))
        guids = {one["slug"]: one["guid"] for one in EXPECTED["kept"]}
        assert {one.slug: one.guid for one in keeper.all()} == guids
        home.studio.look(warm=False)
        assert len(told) == len(before), "made again a second time"
        phone = _phone(home, EXPECTED["phones"][0]["token"])
        shortest = min(EXPECTED["kept"], key=lambda one: int(one["length_ms"]))
        render = keeper.find(shortest["slug"]).render
        answer = phone.get(f"/renders/{render}.mp3")
        assert answer.status_code == 200
        assert len(answer.content) == home.studio.renders.get(render).bytes

    def test_one_found_gone_while_serving_is_made_again(self, home: Any) -> None:
        keeper, kept = _keeper(home), EXPECTED["kept"][1]
        phone = _phone(home, EXPECTED["phones"][0]["token"])
        assert phone.get(f"/renders/{kept['record']}.mp3").status_code == 410
        _wait(lambda: keeper.find(kept["slug"]).render != kept["record"])


def _phone(home: Any, token: str) -> httpx.Client:
    client: httpx.Client = home.client(cookies={"vf": token})
    return client


def _keeper(home: Any) -> Any:
    from voiceflow.server.library.kept import Keeper

    return Keeper(home.studio)


def _wait(true: Any) -> None:
    from serving import wait_for

    wait_for(true)
