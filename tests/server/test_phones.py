"""Tokens of phones and feeds, pairing codes, and limits on wrong ones."""

from __future__ import annotations

import errno
import json
import os
import stat
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from odd_files import odd

pytest.importorskip("starlette", reason="the extra `serve` is not installed")

from voiceflow.core.errors import OutputError, VoiceflowError
from voiceflow.server.auth.attempt_limiter import AttemptLimiter, network
from voiceflow.server.auth.pairing import Pairing
from voiceflow.server.auth.phones import MOST_PHONES, Phones


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def phones(tmp_path: Path) -> Phones:
    return Phones(tmp_path / "serve" / "phones.json")


# Tokens


def test_a_paired_phone_is_found_by_its_token_alone(phones: Phones) -> None:
    phone, token = phones.pair("iPhone, Safari")
    assert phones.find(token) == phone
    assert phones.find(token[:-1]) is None
    assert phones.find(token + "a") is None
    assert phones.find("") is None
    assert phones.find(phone.token) is None  # what is on disk opens nothing
    assert phones.find("\udcff") is None


@pytest.mark.parametrize("place", [0, 7, 31, 32, 62, 63])
def test_a_hash_is_compared_to_its_last_digit(phones: Phones, place: int) -> None:
    _, token = phones.pair("")
    told = json.loads(phones.path.read_text())
    for kind in ("token", "feed"):
        digits = told["phones"][0][kind]
        other = "0" if digits[place] != "0" else "1"
        told["phones"][0][kind] = digits[:place] + other + digits[place + 1 :]
    feed = phones.feed_token(token, phones.all()[0])
    phones.path.write_text(json.dumps(told))
    assert len(phones.all()) == 1
    assert phones.find(token) is None
    assert phones.find_feed(feed) is None


def test_tokens_are_long_and_differ(phones: Phones) -> None:
    tokens = {phones.pair("")[1] for _ in range(20)}
    assert len(tokens) == 20
    assert all(len(token) >= 43 for token in tokens)  # 256 bits


def test_no_token_is_on_disk(phones: Phones) -> None:
    phone, token = phones.pair("Mac")
    feed = phones.feed_token(token, phone)
    written = "".join(path.read_text() for path in phones.path.parent.iterdir())
    assert token not in written
    assert feed
    assert feed not in written


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
def test_the_file_is_its_owners_alone(phones: Phones) -> None:
    old = os.umask(0)
    try:
        phones.pair("")
    finally:
        os.umask(old)
    assert stat.S_IMODE(phones.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(phones.path.parent.stat().st_mode) == 0o700


def test_phones_are_known_to_the_next_server(phones: Phones) -> None:
    phone, token = phones.pair("Mac")
    assert Phones(phones.path).find(token) == phone


def test_forgetting_reaches_a_server_that_runs(phones: Phones) -> None:
    tokens = [phones.pair("")[1] for _ in range(3)]
    assert Phones(phones.path).forget() == 3
    assert [phones.find(token) for token in tokens] == [None] * 3
    assert phones.forget() == 0


def test_one_phone_is_revoked_and_the_others_stay(phones: Phones) -> None:
    one, token = phones.pair("one")
    two, other = phones.pair("two")
    assert phones.revoke(one.id)
    assert not phones.revoke(one.id)
    assert phones.find(token) is None
    assert phones.find(other) == two


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", '{"phones": 3}', '{"phones": [{"id": 1}]}', '{"phones": [null]}', "[" * 9000],
)
def test_a_file_that_cannot_be_read_lets_nobody_in(phones: Phones, text: str) -> None:
    _, token = phones.pair("")
    phones.path.write_text(text)
    assert phones.find(token) is None
    assert phones.all() == ()
    _, again = phones.pair("")
    assert phones.find(again) is not None


def test_an_empty_hash_in_the_file_opens_nothing(phones: Phones) -> None:
    phones.pair("")
    told = json.loads(phones.path.read_text())
    told["phones"][0]["token"] = ""
    phones.path.write_text(json.dumps(told))
    assert phones.find("") is None
    assert phones.all() == ()


def test_there_is_a_most_of_phones(phones: Phones) -> None:
    for _ in range(MOST_PHONES):
        phones.pair("")
    with pytest.raises(OutputError, match="paired already"):
        phones.pair("")


def test_phones_paired_at_once_by_two_servers_all_stay(tmp_path: Path) -> None:
    path = tmp_path / "phones.json"
    stores = [Phones(path), Phones(path)]
    threads = [
        threading.Thread(target=lambda store=store: [store.pair("") for _ in range(8)])
        for store in stores
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(stores[0].all()) == 16
    assert {path.name for path in tmp_path.iterdir()} == {"phones.json", ".phones.json.lock"}


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may all")
def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(OutputError):
        Phones(tmp_path / "phones.json").pair("")


def test_a_place_that_is_no_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "serve").write_text("")
    with pytest.raises(OutputError, match="cannot be saved"):
        Phones(tmp_path / "serve" / "phones.json").pair("")


def test_a_write_that_fails_leaves_what_was_there(
    phones: Phones, monkeypatch: pytest.MonkeyPatch
) -> None:
    phone, token = phones.pair("")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match="no space left"):
        phones.revoke(phone.id)
    assert phones.find(token) == phone
    assert {path.name for path in phones.path.parent.iterdir()} == {
        "phones.json",
        ".phones.json.lock",
    }


def test_a_phone_is_noted_once_a_day(tmp_path: Path) -> None:
    clock = Clock()
    phones = Phones(tmp_path / "phones.json", clock)
    phone, token = phones.pair("")
    clock.now += 3_600
    assert not phones.is_new_day(phone)
    clock.now += 86_400
    assert phones.is_new_day(phone)
    phones.touch(phone)
    found = phones.find(token)
    assert found is not None
    assert found.seen == int(clock.now)


# Feeds


def test_a_feed_has_a_token_of_its_own(phones: Phones) -> None:
    phone, token = phones.pair("")
    feed = phones.feed_token(token, phone)
    assert feed != token
    assert phones.find_feed(feed) == phone
    assert phones.find_feed(token) is None
    assert phones.find(feed) is None


def test_a_feed_is_revoked_alone(phones: Phones) -> None:
    phone, token = phones.pair("")
    feed = phones.feed_token(token, phone)
    phones.revoke_feed(phone)
    later = phones.find(token)
    assert later is not None
    assert phones.find_feed(feed) is None
    assert phones.find_feed("") is None
    assert phones.feed_token(token, later) == ""
    new = phones.renew_feed(token, later)
    assert new != feed
    assert phones.find_feed(new) is not None
    assert phones.find_feed(feed) is None


def test_revoking_a_phone_ends_its_feed(phones: Phones) -> None:
    phone, token = phones.pair("")
    feed = phones.feed_token(token, phone)
    phones.revoke(phone.id)
    assert phones.find_feed(feed) is None


# Codes


def test_a_code_is_good_once() -> None:
    pairing = Pairing()
    code = pairing.new()
    assert pairing.use(code)
    assert not pairing.use(code)


def test_a_code_lapses() -> None:
    clock = Clock()
    pairing = Pairing(lasts_s=60, clock=clock)
    code = pairing.new()
    clock.now += 61
    assert not pairing.use(code)


def test_wrong_codes_use_up_nothing() -> None:
    pairing = Pairing()
    code = pairing.new()
    assert not any(pairing.use(wrong) for wrong in ("", code[:-1], code + "x", "\udcff"))
    assert pairing.use(code)


def test_codes_that_are_open_are_few() -> None:
    pairing = Pairing()
    codes = [pairing.new() for _ in range(30)]
    assert [pairing.use(code) for code in codes] == [False] * 26 + [True] * 4


def test_only_one_of_many_gets_in_with_a_code() -> None:
    pairing = Pairing()
    code = pairing.new()
    gate, found = threading.Barrier(8), []

    def attempt() -> None:
        gate.wait()
        found.append(pairing.use(code))

    threads = [threading.Thread(target=attempt) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(found) == 1


# Attempts


def test_an_address_that_fails_too_often_has_to_wait() -> None:
    clock = Clock()
    limiter = AttemptLimiter(each=3, whole=100, per_s=60, clock=clock)
    for _ in range(3):
        assert limiter.wait_s("10.0.0.1") == 0
        limiter.failed("10.0.0.1")
    wait = limiter.wait_s("10.0.0.1")
    assert 0 < wait <= 20
    assert limiter.wait_s("10.0.0.2") == 0
    clock.now += wait
    assert limiter.wait_s("10.0.0.1") == 0


def test_all_addresses_together_have_a_limit() -> None:
    limiter = AttemptLimiter(each=5, whole=20, clock=Clock())
    for n in range(20):
        limiter.failed(f"10.0.0.{n}")
    assert limiter.wait_s("10.9.9.9") > 0


def test_any_number_of_addresses_takes_little_memory() -> None:
    limiter = AttemptLimiter(clock=Clock())
    for n in range(5_000):
        limiter.failed(f"10.{n >> 8}.{n & 255}.1")
    assert len(limiter._filled) == 1_024


def test_a_whole_ipv6_network_is_one_address() -> None:
    assert network("2001:db8:1:2::1") == network("2001:db8:1:2:ffff::9")
    assert network("2001:db8:1:2::1") != network("2001:db8:1:3::1")
    assert network("::ffff:10.0.0.1") == "10.0.0.1"
    assert network("fe80::1%eth0") == network("fe80::2")
    assert len(network("x" * 999)) <= 64


# A disk with an error for a moment, no descriptor left


@pytest.fixture
def unreadable(monkeypatch: pytest.MonkeyPatch) -> Callable[..., AbstractContextManager[None]]:
    """While it lasts, no list of the server can be read."""

    @contextmanager
    def failing(number: int = errno.EMFILE) -> Iterator[None]:
        def refuse(path: str | Path) -> None:
            raise OSError(number, os.strerror(number), str(path))

        with monkeypatch.context() as patch:
            patch.setattr("voiceflow.server.auth.phones.open_file", refuse)
            yield

    return failing


@pytest.mark.parametrize("number", [errno.EMFILE, errno.EIO, errno.EACCES])
def test_a_list_that_cannot_be_read_for_a_moment_loses_no_phone(
    phones: Phones, unreadable: Callable[..., AbstractContextManager[None]], number: int
) -> None:
    first, token = phones.pair("first")
    with unreadable(number):
        with pytest.raises(OutputError, match="cannot be saved: "):
            phones.pair("second")
        with pytest.raises(OutputError):
            phones.forget()
    assert phones.all() == (first,)
    assert phones.find(token) == first
    second, _ = phones.pair("second")
    assert phones.all() == (first, second)


def test_a_list_that_cannot_be_read_for_a_moment_locks_nobody_out_for_longer(
    phones: Phones, unreadable: Callable[..., AbstractContextManager[None]]
) -> None:
    phone, token = phones.pair("")
    other = Phones(phones.path)
    with unreadable(), pytest.raises(VoiceflowError, match="too many files are open at once"):
        other.find(token)
    assert other.find(token) == phone


def test_a_pipe_in_the_lists_place_holds_up_nobody(tmp_path: Path) -> None:
    phones = Phones(odd(tmp_path / "phones.json", "pipe"))
    with pytest.raises(VoiceflowError, match="it is a pipe"):
        phones.find("token")
    with pytest.raises(OutputError, match="it is a pipe"):
        phones.pair("")
