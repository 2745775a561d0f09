"""One phone that uses a server for long, always with other wishes, and what the server holds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Final

import httpx
from process_figures import Watch, children, descriptors, memory_kib
from serving import Outside, make, wait_for

# In turn; `minutes` and beds make pieces and clips that no other render has.
WISHES: Final = (
    ("hip-back-short", {}), ("breathing", {}), ("hip-back", {"detail": "brief"}),
    ("mobility", {}), ("box-breathing", {"bed": "rain"}), ("everyday", {}),
    ("rehab-holds", {"detail": "tones"}), ("hip-back-short", {"bed": "ocean"}),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Figures:
    """What the server held after so many renders; `most` of a worker while the last was made."""

    renders: int
    requests: int
    server_kib: int
    most_of_worker_kib: int
    workers: int
    left_workers: int
    descriptors: int

    HEAD: ClassVar = " renders requests  server KiB  a worker KiB  workers  left  descriptors"

    def __str__(self) -> str:
        return (
            f"{self.renders:8}{self.requests:9}{self.server_kib:12}{self.most_of_worker_kib:14}"
            f"{self.workers:9}{self.left_workers:6}{self.descriptors:13}"
        )


def use(
    server: Outside, token: str, renders: int, each: int,
    say: Callable[[object], None] = lambda line: None,
) -> list[Figures]:  # fmt: skip
    """Make so many renders that are all different, and `each` requests for each of them."""
    pid, found, requests = server.process.pid, list[Figures](), 0
    say(f"\n{Figures.HEAD}")
    with httpx.Client(
        base_url=server.base, headers={"Authorization": f"Bearer {token}"}, verify=False,
        timeout=600,
    ) as phone:  # fmt: skip
        for number in range(renders):
            slug, options = WISHES[number % len(WISHES)]
            # A name is spoken, so that the workers have to begin again each time.
            new = {"tempo": round(0.8 + number * 0.004, 3), "name": f"Ana{_letters(number)}"}
            with Watch(pid) as watch:
                render = make(phone, slug, **options, **new)
                assert len(phone.get(render["mp3"]).content) == render["bytes"]
            requests += 2 + _ask(phone, slug, render, each - 2)
            wait_for(lambda: not children(pid))
            found.append(
                Figures(
                    number + 1, requests, memory_kib(pid), watch.most_of_worker_kib,
                    len(watch.workers), len(children(pid)), descriptors(pid),
                )
            )  # fmt: skip
            say(found[-1])
    return found


def _letters(number: int) -> str:
    return "".join("bdgklmnprs"[int(digit)] + "a" for digit in str(number))


def _ask(phone: httpx.Client, slug: str, render: dict[str, str], count: int) -> int:
    """So many requests of the kinds that phones make, and some that are wrong."""
    good = (
        "/", f"/session/{slug}", f"/session/{slug}/picture.svg", render["player"], render["score"],
        render["chapters"], render["transcript"], render["cover"], render["picture"], "/settings",
        "/api/v1/sessions", "/api/v1/kept", "/api/v1/phones", "/static/app.js",
    )  # fmt: skip
    for number in range(count):
        if number % 4 == 0:
            place = number * 7_919 % 100_000
            spot = {"Range": f"bytes={place}-{place + 65_535}"}
            assert phone.get(render["mp3"], headers=spot).status_code == 206
        elif number % 4 == 1:
            assert phone.get(f"/session/none-{render['id']}-{number}").status_code == 404
        else:
            assert phone.get(good[number // 2 % len(good)]).status_code == 200
    return count
