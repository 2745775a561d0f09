"""The list of sessions that a phone sees says what *Listen* would say."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

pytest.importorskip("starlette", reason="the extra `serve` is not installed")

from conftest import BUNDLED, SOUNDS
from serving import in_process

from voiceflow.core.errors import InputError
from voiceflow.script.lookup import Library
from voiceflow.server.http.refusals import refused


def test_a_voice_in_the_settings_that_does_not_exist_is_an_error_in_both(tmp_path: Path) -> None:
    with in_process(tmp_path) as home:
        (home.library.user / "settings.yaml").write_text("voice: nosuch\n")
        phone = home.phone()
        listed = {one["slug"]: one for one in phone.get("/api/v1/sessions").json()["sessions"]}
        for slug in ("two-breaths", "hip-back-short"):
            answer = phone.post("/api/v1/renders", json={"session": slug})
            assert answer.status_code == 422
            told = answer.json()["errors"]
            assert "nosuch" in told[0]["message"]
            assert listed[slug]["errors"], "listed as if it could be heard"
            assert listed[slug]["errors"][0]["message"] == told[0]["message"]
            assert "nosuch" in phone.get(f"/session/{slug}").text


def test_the_voice_shown_is_the_one_that_speaks(tmp_path: Path) -> None:
    with in_process(tmp_path) as home:
        phone = home.phone()
        shown = phone.get("/api/v1/sessions/two-breaths").json()["defaults"]["voice"]
        render = phone.post("/api/v1/renders", json={"session": "two-breaths"}).json()
        score = phone.get(f"/renders/{render['id']}/score.json").json()
        assert shown == score["voice"] == "silent"


def test_while_a_session_is_read_nobody_waits_for_what_is_known(tmp_path: Path) -> None:
    with in_process(tmp_path) as home, ThreadPoolExecutor() as others:
        shelf = home.studio.sessions
        known = shelf.session("two-breaths")
        with shelf._lock:  # as whoever reads a session holds it
            assert others.submit(shelf.session, "two-breaths").result(60) == known
            found = others.submit(home.studio.listing.all, 0.01).result(60)
        listed = [json.loads(one.told) for one in found]
        assert [one["slug"] for one in listed if one["minutes"]] == ["two-breaths"]
        assert "Short & Sweet" in [one["title"] for one in listed]
        whole = [json.loads(one.told) for one in home.studio.listing.all()]
        assert all(one["minutes"] or one["errors"] for one in whole)


@pytest.mark.parametrize("separator", ["/", "\\"])
def test_no_path_of_the_library_is_told(separator: str) -> None:
    root = Path(separator.join(["C:", "Users", "Ana", "voiceflow"]))
    library = Library(root, BUNDLED, SOUNDS)
    for said in (f"{root}{separator}my.yaml: bad", f"{root}: bad"):
        told = refused(InputError(said), library)
        assert "Ana" not in str(told.message)
    assert refused(InputError(f"{root}{separator}my.yaml: bad"), library).message == "my.yaml: bad"
