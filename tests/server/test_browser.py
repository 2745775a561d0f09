"""The pages in a real browser: a phone is paired, listens, keeps, and goes on with the server gone.

Chromium as a phone, driven by Playwright, against a server in a process of its own. Nothing here
waits for a time: it waits for what a person would see or hear.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

playwright_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytest.importorskip("uvicorn", reason="the extra `serve` is not installed")
from playwright.sync_api import Browser, BrowserContext, Page, expect  # noqa: E402

PATIENCE_MS = 60_000
expect.set_options(timeout=PATIENCE_MS)

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
if CHROMIUM is None:
    pytest.skip("there is no Chromium", allow_module_level=True)

pytestmark = pytest.mark.slow

PHONE = {"viewport": {"width": 390, "height": 740}, "is_mobile": True, "has_touch": True}
DESK = {"viewport": {"width": 1280, "height": 800}}
ARGUMENTS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
    " --disable-component-update --disable-sync --disable-dev-shm-usage"
).split()
SERVE = (
    "import sys; from voiceflow.server import main;"
    " main(port=int(sys.argv[1]), library=sys.argv[2])"
)
BROKEN = """\
title: Not Yet Right
exercises:
  - name: Lift
    position: supine
    setup: Lie down.
    rep:
      - inhail 4: Inhale.
"""
TINY = """\
title: Two Breaths
exercises:
  - name: First Breath
    position: seated
    setup: Sit tall.
    reps: 2
    rep: [inhale 2: Inhale., exhale 2: Exhale.]
  - name: Second Breath
    position: seated
    setup: Stay.
    reps: 2
    rep: [inhale 2: Inhale., exhale 2: Exhale.]
"""


class Server:
    """`voiceflow serve` in a process of its own, that can be ended and begun again."""

    def __init__(self, folder: Path) -> None:
        self.library, self.log = folder / "library", folder / "log.txt"
        (self.library / "sessions").mkdir(parents=True)
        (self.library / "settings.yaml").write_text("voice: espeak\n")
        (self.library / "sessions" / "not-yet.yaml").write_text(BROKEN)
        (self.library / "sessions" / "two-breaths.yaml").write_text(TINY)
        self.environment = {**os.environ, "VOICEFLOW_CACHE": str(folder / "cache")}
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.base = f"http://127.0.0.1:{self.port}"
        self.invitation = ""
        self._process: subprocess.Popen[str] | None = None

    def begin(self) -> None:
        command = [sys.executable, "-c", SERVE, str(self.port), str(self.library)]
        with self.log.open("a") as log:
            self._process = subprocess.Popen(
                command, env=self.environment, stdout=subprocess.PIPE, stderr=log, text=True
            )
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if found := re.search(r"http://\S+/pair\?code=\S+", line):
                self.invitation = found[0]
                return
        raise AssertionError(self.log.read_text())

    def end(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.communicate(timeout=PATIENCE_MS / 1000)
            self._process = None


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("serve"))
    server.begin()
    yield server
    server.end()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with playwright_api.sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def paired(server: Server, browser: Browser) -> Any:
    """The storage of a phone that has scanned the code."""
    context = browser.new_context(**PHONE)
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    page.goto(server.base)
    expect(page.get_by_role("heading", name="Scan the code")).to_be_visible()
    page.goto(server.invitation)
    page.wait_for_url(f"{server.base}/", wait_until="commit")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    state = context.storage_state()
    context.close()
    return state


Opener = Callable[..., Page]


@pytest.fixture
def opened(server: Server, browser: Browser, paired: Any) -> Iterator[Opener]:
    """Opens a page on a paired phone; fails where a script breaks or a stranger is asked."""
    contexts: list[BrowserContext] = []
    wrong: list[str] = []

    def open_(path: str = "/", **options: Any) -> Page:
        context = browser.new_context(storage_state=paired, **{**PHONE, **options})
        context.set_default_timeout(PATIENCE_MS)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: wrong.append(f"script: {error}"))
        page.on("console", lambda told: wrong.append(told.text) if "Security" in told.text else 0)
        page.on("request", lambda asked: stranger(asked.url, server, wrong))
        page.goto(server.base + path)
        return page

    yield open_
    for context in contexts:
        context.close()
    assert not wrong


def stranger(address: str, server: Server, wrong: list[str]) -> None:
    if not address.startswith((server.base, "data:", "blob:")):
        wrong.append(f"asked of another host: {address}")


# What a listener does


def listen(page: Page) -> None:
    """Press listen, and hear it: the sound goes on."""
    page.get_by_role("button", name="Listen").click()
    page.locator("#audio, #errors:not([hidden])").wait_for(state="attached")
    assert "/player/" in page.url, page.get_by_role("alert").inner_text()
    hears(page, 0.3)


def until(page: Page, holds: str, arg: Any = None) -> None:
    """Wait until JavaScript says so. (Playwright's own way is forbidden by the pages' policy.)"""
    deadline = time.monotonic() + PATIENCE_MS / 1000
    while not page.evaluate(holds, arg):
        assert time.monotonic() < deadline, f"never came true: {holds}"
        page.wait_for_timeout(40)


def ready(page: Page) -> None:
    until(page, "document.querySelectorAll('#chapters li').length > 1")


def hears(page: Page, beyond_s: float) -> None:
    """The sound plays, and gets beyond a moment."""
    until(page, "t => !audio.paused && audio.currentTime > t", arg=beyond_s)


def now_s(page: Page) -> float:
    return float(page.evaluate("audio.currentTime"))


def score(page: Page) -> dict[str, Any]:
    """The score of what plays."""
    ask = "async () => (await fetch(JSON.parse(player.dataset.render).score)).json()"
    return dict(page.evaluate(ask))


def seek(page: Page, ms: int) -> None:
    page.evaluate("ms => { audio.currentTime = ms / 1000; }", ms)
    until(page, "ms => !audio.seeking && audio.currentTime * 1000 >= ms - 30", arg=ms)


def chapter_at(told: dict[str, Any], ms: float) -> int:
    return sum(one["start_ms"] <= ms for one in told["chapters"]) - 1


def test_ten_slow_minutes(opened: Opener) -> None:
    page = opened()
    page.get_by_role("link", name="Hips and Back, Short", exact=True).click()
    page.get_by_label("Minutes", exact=True).fill("9")
    page.get_by_role("button", name="One minute more").click()
    expect(page.get_by_label("Minutes", exact=True)).to_have_value("10")
    page.get_by_role("radio", name="Steady").check()
    page.get_by_text("Tempo and breath").click()
    page.get_by_label("Tempo", exact=True).fill("0.85")
    listen(page)
    told = score(page)
    assert abs(told["length_ms"] - 600_000) <= 500
    assert told["pace"] == "steady"
    expect(page.locator("#exercise")).to_have_text(told["chapters"][0]["title"])
    hears(page, now_s(page) + 0.5)


def test_words_follow_the_sound(opened: Opener) -> None:
    page = opened("/session/hip-back-short")
    listen(page)
    page.get_by_role("button", name="Pause").click()
    told = score(page)
    speech = [one for one in told["events"] if one["kind"] == "speech"]
    for event in speech[3:80:11]:
        seek(page, event["start_ms"] + event["length_ms"] // 2)
        expect(page.locator("#words")).to_have_text(event["text"])
    breath = next(one for one in told["events"] if one["breath"] == "exhale")
    seek(page, breath["start_ms"] + breath["length_ms"] // 2)
    expect(page.locator("#breath")).to_have_attribute("data-breath", "exhale")
    expect(page.locator("#phase")).to_contain_text("Breathe out")
    expect(page.locator("#where")).to_contain_text(f"repetition {breath['rep']} of")


def test_moving_about(opened: Opener) -> None:
    page = opened("/session/hip-back-short")
    listen(page)
    chapters = score(page)["chapters"]
    page.get_by_role("button", name="Next", exact=True).click()
    hears(page, chapters[1]["start_ms"] / 1000)
    expect(page.locator("#exercise")).to_have_text(chapters[1]["title"])
    expect(page.locator("#change")).to_have_text(
        f"{chapters[1]['title']}, 1 of {len(chapters) - 2}"
    )
    page.get_by_role("button", name="Forward 15 seconds").click()
    hears(page, chapters[1]["start_ms"] / 1000 + 14)
    page.get_by_role("button", name="Again").click()
    until(page, "s => audio.currentTime < s", arg=chapters[1]["start_ms"] / 1000 + 10)
    page.get_by_role("button", name="Previous").click()
    expect(page.locator("#exercise")).to_have_text(chapters[0]["title"])
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()
    page.locator("#chapters button").nth(3).click()
    expect(page.locator("#exercise")).to_have_text(chapters[3]["title"])
    page.get_by_label("Position").fill(str(chapters[4]["start_ms"] // 1000 * 1000 + 2000))
    expect(page.locator("#exercise")).to_have_text(chapters[4]["title"])


def test_lock_screen(opened: Opener) -> None:
    """The Media Session tells session, exercise and cover, and its keys do what they say."""
    page = opened("/session/hip-back-short")
    # The keys of a headset cannot be pressed here: what the page sets for them is called instead.
    page.add_init_script(
        "window.keys = {}; const set = MediaSession.prototype.setActionHandler;"
        "MediaSession.prototype.setActionHandler = function (name, act) {"
        "  window.keys[name] = act; return set.call(this, name, act); };"
    )
    listen(page)
    told = score(page)
    page.evaluate("keys.nexttrack({})")
    until(
        page,
        "name => navigator.mediaSession.metadata?.artist === name",
        arg=told["chapters"][1]["title"],
    )
    data = page.evaluate(
        "(({title, artwork}) => ({title, cover: artwork[0].src}))(navigator.mediaSession.metadata)"
    )
    assert data["title"] == "Hips and Back, Short"
    cover = page.request.get(data["cover"])
    assert cover.ok
    assert cover.body()[:2] == b"\xff\xd8"
    page.evaluate("keys.seekto({seekTime: 100})")
    page.evaluate("keys.seekforward({})")
    hears(page, 114)
    page.evaluate("keys.seekbackward({seekOffset: 30})")
    until(page, "audio.currentTime < 95")
    page.evaluate("keys.pause({})")
    until(page, "audio.paused && navigator.mediaSession.playbackState === 'paused'")
    page.evaluate("keys.previoustrack({})")  # well into an exercise: its beginning
    until(page, "s => audio.currentTime <= s", arg=told["chapters"][1]["start_ms"] / 1000)
    page.evaluate("keys.play({})")
    until(page, "!audio.paused")


def test_slower_and_less_from_the_next_exercise_on(opened: Opener) -> None:
    page = opened("/session/hip-back-short")
    listen(page)
    old = score(page)
    page.get_by_role("button", name="Next", exact=True).click()
    address = page.url
    page.get_by_role("button", name="Slower").click()
    expect(page.locator("#next")).to_contain_text("tempo")
    page.get_by_role("button", name="Less talk").click()
    expect(page.locator("#next")).to_contain_text("fewer words")
    assert page.url == address  # the exercise that is on goes on as it was
    seek(page, old["chapters"][2]["start_ms"] - 600)
    page.wait_for_url(lambda url: url != address and "/player/" in url, wait_until="commit")
    new = score(page)
    expect(page.locator("#exercise")).to_have_text(old["chapters"][2]["title"])
    hears(page, new["chapters"][2]["start_ms"] / 1000)
    words = [sum(one["kind"] == "speech" for one in told["events"]) for told in (old, new)]
    assert words[1] < words[0]
    assert breath_ms(new) > breath_ms(old)
    page.get_by_role("button", name="Faster").click()
    expect(page.locator("#next")).to_contain_text("tempo")
    page.get_by_role("button", name="Next", exact=True).click()
    page.wait_for_url(
        lambda url: url not in (address, "") and "/player/" in url, wait_until="commit"
    )
    expect(page.locator("#exercise")).to_have_text(old["chapters"][3]["title"])
    until(page, "want => player.dataset.render.includes(want)", '"detail":"brief"')


def breath_ms(told: dict[str, Any]) -> int:
    return max(one["length_ms"] for one in told["events"] if one["breath"] == "inhale")


def test_kept_it_plays_with_the_server_gone(opened: Opener, server: Server) -> None:
    page = opened("/session/hip-back-short")
    page.get_by_label("Minutes", exact=True).fill("9")
    listen(page)
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    page.locator("#more .keep-it").click()
    page.get_by_label("Title").fill("Morning Hips")
    page.get_by_role("dialog").get_by_role("button", name="Keep").click()
    expect(page.locator("#store")).to_have_text("On this phone")
    expect(page.locator("#more .keep-it")).to_have_text("Kept")
    assert "Morning Hips" in (server.library / "sessions" / "morning-hips.yaml").read_text()
    player, chapters = page.url, score(page)["chapters"]
    server.end()
    page.context.set_offline(True)
    try:
        page.goto(server.base)
        expect(page.get_by_role("heading", name="Offline")).to_be_visible()
        page.get_by_role("link", name="Hips and Back, Short").click()
        page.wait_for_url(player, wait_until="commit")
        ready(page)
        page.get_by_role("button", name="Play", exact=True).click()
        hears(page, 0.5)
        page.locator("#chapters button").last.click()  # a range from the middle of the file
        hears(page, chapters[-1]["start_ms"] / 1000 + 0.5)
        expect(page.locator("#exercise")).to_have_text(chapters[-1]["title"])
        page.get_by_role("button", name="Slower").click()
        expect(page.locator("#say")).to_contain_text("cannot be reached")
    finally:
        page.context.set_offline(False)
        server.begin()
    page.goto(f"{server.base}/settings")
    expect(page.locator("#usage")).to_contain_text("1 session")
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Clear storage").click()
    expect(page.locator("#usage")).to_have_text("Nothing is stored.")
    page.goto(server.base)
    expect(page.get_by_role("heading", name="Your sessions")).to_be_visible()
    expect(page.locator("#yours ~ ul")).to_contain_text("Morning Hips")


def test_the_server_ends_and_begins_again(opened: Opener, server: Server) -> None:
    page = opened("/session/hip-back-short")
    listen(page)
    chapters = score(page)["chapters"]
    server.end()
    try:
        page.locator("#chapters button").nth(4).click()
        expect(page.locator("#exercise")).to_have_text(chapters[4]["title"])
    finally:
        server.begin()
    if page.evaluate("audio.paused || audio.error !== null"):
        page.get_by_role("button", name=re.compile("^(Play|Pause)$")).click()
    hears(page, chapters[4]["start_ms"] / 1000 + 0.3)


def test_going_on_where_one_left_off_and_the_end(opened: Opener, server: Server) -> None:
    page = opened("/session/two-breaths")
    listen(page)
    length = score(page)["length_ms"]
    middle = length // 2
    seek(page, middle)
    page.get_by_role("button", name="Pause").click()
    player = page.url
    page.goto(server.base)
    page.get_by_role("link", name="Continue: Two Breaths").click()
    page.wait_for_url(player, wait_until="commit")
    hears(page, middle / 1000 - 4)
    assert now_s(page) < middle / 1000 + 3
    seek(page, length - 700)
    expect(page.get_by_role("heading", name="Well done.")).to_be_focused()
    expect(page.locator("#summary")).to_contain_text("2 exercises")
    page.get_by_role("button", name="From the start").click()
    hears(page, 0.2)
    assert now_s(page) < 5
    page.goto(server.base)
    expect(page.locator("#continue")).to_be_hidden()


def test_choices_are_remembered(opened: Opener, server: Server) -> None:
    page = opened("/session/hip-back")
    page.get_by_label("Minutes", exact=True).fill("31")
    page.get_by_role("radio", name="Brief").check()
    page.get_by_text("Voice and sound").click()
    page.get_by_label("Breath tones").select_option("ocean")
    page.reload()
    expect(page.get_by_label("Minutes", exact=True)).to_have_value("31")
    expect(page.get_by_role("radio", name="Brief")).to_be_checked()
    page.goto(f"{server.base}/session/two-breaths")  # sounds are a person's, minutes a session's
    expect(page.get_by_label("Minutes", exact=True)).to_have_value("")
    expect(page.locator("#tones")).to_have_value("ocean")
    page.get_by_role("button", name="Reset all to as written").click()
    expect(page.locator("#tones")).to_have_value("bowl")


def test_what_is_wrong_is_said_where_it_is(opened: Opener, server: Server) -> None:
    page = opened()
    card = page.locator(".card", has_text="Not Yet Right")
    expect(card).to_contain_text("sessions/not-yet.yaml:7")
    expect(card).to_contain_text("inhale")
    card.get_by_role("link").click()
    expect(page.get_by_role("heading", name="has errors to fix first")).to_be_visible()
    expect(page.get_by_role("button", name="Listen")).to_have_count(0)
    page.goto(f"{server.base}/session/hip-back-short")
    page.get_by_label("Minutes", exact=True).fill("1")
    page.get_by_role("button", name="Listen").click()
    expect(page.get_by_role("alert")).to_contain_text("cannot last 1:00")
    expect(page.get_by_role("alert")).to_contain_text("from about")
    expect(page.get_by_role("button", name="Listen")).to_be_enabled()


def test_keyboard_alone(opened: Opener) -> None:
    page = opened()
    walk(page, lambda: page.evaluate("document.activeElement.textContent") == "Two Breaths")
    page.keyboard.press("Enter")
    page.wait_for_url("**/session/two-breaths", wait_until="commit")
    walk(page, lambda: page.evaluate("document.activeElement.id") == "minutes")
    expect(page.locator("#listen")).to_be_enabled()  # only then does Enter send the form
    page.keyboard.press("Enter")
    page.wait_for_url("**/player/*", wait_until="commit")
    hears(page, 0.2)
    chapters = score(page)["chapters"]
    page.keyboard.press("Space")
    until(page, "audio.paused")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#exercise")).to_have_text(chapters[1]["title"])
    page.keyboard.press("ArrowUp")
    until(page, "s => audio.currentTime >= s", arg=chapters[1]["start_ms"] / 1000 + 14.9)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("a")
    until(page, "s => audio.currentTime <= s", arg=chapters[1]["start_ms"] / 1000 + 0.1)
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#exercise")).to_have_text(chapters[0]["title"])
    for key, told in (("-", "Slower"), ("+", "Faster"), ("d", "Fewer words")):
        with page.expect_response("**/from"):
            page.keyboard.press(key)
        expect(page.locator("#say")).to_contain_text(told)
    walk(page, lambda: page.evaluate("document.activeElement.id") == "play")
    page.keyboard.press("Space")
    until(page, "!audio.paused")


def walk(page: Page, there: Callable[[], bool]) -> None:
    """Tab on until `there`; every stop on the way shows where it is."""
    outline = """() => {
      const it = document.activeElement;
      const near = [it, it.nextElementSibling].filter(Boolean);
      const seen = near.map((one) => getComputedStyle(one));
      seen.push(getComputedStyle(it, '::after'));
      return seen.some((one) => one.outlineStyle !== 'none');
    }"""
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement !== document.body"):
            assert page.evaluate(outline), page.evaluate("document.activeElement.outerHTML")
        if there():
            return
    raise AssertionError("the keyboard does not get there")


def test_large_zones(opened: Opener) -> None:
    """Without looking: the middle plays and pauses, and nothing is smaller than a thumb."""
    page = opened("/session/two-breaths")
    listen(page)
    boxes = {
        one: page.locator(f"#{one}").bounding_box()
        for one in "play back forward previous again following slower faster less talk".split()
    }
    for box in boxes.values():
        assert box is not None
        assert box["width"] >= 64
        assert box["height"] >= 64
        assert box["y"] + box["height"] <= PHONE["viewport"]["height"]  # type: ignore[index]
    assert boxes["play"] is not None
    assert boxes["play"]["width"] > 200
    assert boxes["play"]["height"] > 250
    page.mouse.click(195, 200)
    until(page, "audio.paused")


def test_less_motion(opened: Opener) -> None:
    page = opened("/session/two-breaths", reduced_motion="reduce")
    listen(page)
    breath = next(one for one in score(page)["events"] if one["breath"] == "inhale")
    sizes = set()
    for part in (0.2, 0.8):
        seek(page, breath["start_ms"] + int(breath["length_ms"] * part))
        expect(page.locator("#phase")).to_contain_text("Breathe in")
        sizes.add(page.evaluate("document.querySelector('#breath .body').style.transform"))
    assert len(sizes) == 1


def test_without_https_it_is_said(opened: Opener) -> None:
    page = opened()
    page.add_init_script("Object.defineProperty(window, 'isSecureContext', {value: false})")
    page.get_by_role("link", name="Two Breaths").click()
    listen(page)
    expect(page.locator("#store")).to_be_hidden()
    expect(page.locator("#offline-why")).to_contain_text("https")
    with page.expect_download() as download:
        page.get_by_role("link", name="Save the file").click()
    assert download.value.suggested_filename == "two-breaths.mp3"


def test_settings(opened: Opener, server: Server) -> None:
    page = opened("/settings")
    page.on("dialog", lambda dialog: dialog.accept())
    feed = page.get_by_label("Feed address").input_value()
    assert page.request.get(feed).ok
    page.get_by_role("button", name="New address").click()
    expect(page.get_by_label("Feed address")).not_to_have_value(feed)
    assert not page.request.get(feed).ok
    page.get_by_role("button", name="Pair another phone").click()
    until(page, "document.querySelector('#code img').naturalWidth > 50")
    expect(page.locator("#phones")).to_contain_text("this one")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("screen", [PHONE, DESK], ids=["phone", "desk"])
def test_no_serious_fault_for_those_who_cannot_see(
    opened: Opener, server: Server, scheme: str, screen: dict[str, Any]
) -> None:
    package = pytest.importorskip("axe_playwright_python", reason="axe is not installed")
    axe = (resources.files(package) / "axe.min.js").read_text(encoding="utf-8")
    page = opened("/", color_scheme=scheme, **{"is_mobile": False, "has_touch": False, **screen})
    found = {"/": faults(page, axe)}
    for path in ("/settings", "/offline", "/session/not-yet", "/session/hip-back-short"):
        page.goto(server.base + path)
        page.evaluate("document.querySelectorAll('details').forEach((one) => (one.open = true))")
        found[path] = faults(page, axe)
    page.goto(f"{server.base}/session/two-breaths")
    listen(page)
    page.get_by_role("button", name="Pause").click()
    for breath in ("inhale", "exhale"):
        event = next(one for one in score(page)["events"] if one["breath"] == breath)
        seek(page, event["start_ms"] + event["length_ms"] // 2)
        found[breath] = faults(page, axe)
    page.evaluate("audio.dispatchEvent(new Event('ended'))")
    found["end"] = faults(page, axe)
    assert not {where: what for where, what in found.items() if what}


def faults(page: Page, axe: str) -> list[str]:
    """What axe-core calls serious or critical; and whether the page is wider than the screen."""
    page.evaluate("Promise.all(document.getAnimations().map((one) => one.finished))")
    page.evaluate(axe)
    result = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    found = [
        f"{one['id']}: {json.dumps([node['target'] for node in one['nodes']])}"
        for one in result["violations"]
        if one["impact"] in ("serious", "critical")
    ]
    wide = page.evaluate("document.documentElement.scrollWidth > innerWidth")
    return [*found, "wider than the screen"] if wide else found


def test_the_locked_page_asks_for_nothing(server: Server, browser: Browser) -> None:
    context = browser.new_context(**PHONE)
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    answer = page.goto(f"{server.base}/session/hip-back")
    assert answer is not None
    assert answer.status == 401
    expect(page.get_by_role("heading", name="Scan the code")).to_be_visible()
    assert [one for one in asked if "favicon" not in one] == [f"{server.base}/session/hip-back"]
    context.close()
