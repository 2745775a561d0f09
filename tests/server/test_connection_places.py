"""Who has to go when there is no place for one more connection: decided without any socket."""

from __future__ import annotations

import pytest

pytest.importorskip("uvicorn", reason="the extra `serve` is not installed")

from voiceflow.server.http import connection_places, limits
from voiceflow.server.http.connection_places import Place, Places
from voiceflow.server.http.limits import Limits, limits_for

SMALL = Limits(connections=8, reserve=2, of_address=3, streams=4)
PHONE, HERE = "192.168.1.2", "127.0.0.1"


class Door:
    """Places, and who was cut, in order; time passes when the test says so."""

    def __init__(self, given: Limits = SMALL) -> None:
        self.now, self.cut = 0.0, list[str]()
        self.places = Places(given, clock=lambda: self.now)

    def comes(self, name: str, address: str, phone: str = "") -> Place:
        place = self.places.enter(address, lambda: self.cut.append(name))
        if phone:
            place.let_in(phone)
        return place


def strangers(door: Door, count: int, first: int = 10) -> None:
    """Each from an address of its own, called by its number."""
    for number in range(first, first + count):
        door.comes(str(number), f"192.168.1.{number}")


def test_a_stranger_with_many_connections_displaces_himself() -> None:
    door = Door()
    for number in range(6):
        door.comes(str(number), "192.168.1.9")
    assert door.cut == ["0", "1", "2"]
    assert len(door.places) == 3


def test_strangers_leave_a_reserve_for_where_phones_are() -> None:
    door = Door()
    door.comes("phone", PHONE, phone="a").leave()
    strangers(door, 9)
    assert door.cut == ["10", "11", "12"]
    assert len(door.places) == 6
    door.comes("one", PHONE)
    door.comes("two", PHONE)
    assert door.cut == ["10", "11", "12"]
    # Those who come from where a phone was seen displace the others, not each other.
    door.comes("three", PHONE)
    assert door.cut[3:] == ["13"]


def test_who_is_let_in_is_never_cut_for_a_stranger() -> None:
    door = Door()
    for number in range(4):
        door.comes(f"phone {number}", HERE, phone="a")
    for number in range(100):
        door.comes(str(number), HERE)
    assert not any(name.startswith("phone") for name in door.cut)
    assert len(door.places) == 8
    door.comes("phone 5", HERE, phone="a")
    assert len(door.cut) == 97  # the oldest stranger made room, though from the same address


def test_from_this_computer_one_address_may_have_all_places() -> None:
    door = Door()
    door.comes("proxy", HERE, phone="a")
    for number in range(7):
        door.comes(str(number), HERE)
    assert door.cut == []
    assert len(door.places) == 8


def test_where_there_are_only_phones_the_one_with_the_most_loses_its_oldest() -> None:
    door = Door()
    for number in range(3):
        door.comes(f"a{number}", "192.168.1.3", phone="a")
    for number in range(5):
        door.comes(f"b{number}", "192.168.1.4", phone="b")
    door.comes("new", "192.168.1.5")
    assert door.cut == ["b0"]


def test_with_no_descriptor_left_a_stranger_goes_first() -> None:
    door = Door()
    door.places.give_way()  # nobody is there
    door.comes("phone", PHONE, phone="a")
    strangers(door, 1)
    door.places.give_way()
    door.places.give_way()
    assert door.cut == ["10", "phone"]


def test_an_address_is_known_for_a_day() -> None:
    door = Door()
    door.comes("phone", PHONE, phone="a")
    assert door.places.knows(PHONE)
    door.now = connection_places.SEEN_LATELY_S
    assert not door.places.knows(PHONE)
    for number in range(1_000):
        door.comes("", f"10.0.{number // 250}.{number % 250}", phone="a").leave()
    assert len(door.places._seen) <= 256


def test_addresses_of_one_ipv6_network_count_as_one() -> None:
    door = Door()
    for number in range(5):
        door.comes(str(number), f"fe80::{number + 1:x}")
    assert door.cut == ["0", "1"]


def test_who_has_left_is_not_cut() -> None:
    door = Door()
    gone = door.comes("gone", PHONE)
    gone.leave()
    gone.leave()
    strangers(door, 8)
    assert "gone" not in door.cut


@pytest.mark.parametrize("descriptors", [64, 256, 1_024, 20_000, 1 << 20])
def test_limits_leave_descriptors_for_everything_else(descriptors: int) -> None:
    found = limits_for(descriptors)
    assert found.connections + found.streams <= descriptors * 3 / 4
    assert 0 < found.reserve < found.connections
    assert 0 < found.of_address < found.connections
    assert found.connections <= 512


def test_limits_of_this_process_are_those_of_its_descriptors(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "descriptors", lambda: 100)
    assert limits.here().connections == 50
