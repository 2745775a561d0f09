"""The pages of the feed, from what is kept: each is written once, and anew when something changes.

The number of a page comes in; a `FeedPage` goes out, the same for every phone but for the addresses
in it.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final

from voiceflow.server.auth.phones import fingerprint
from voiceflow.server.http.refusals import Refusal, unknown
from voiceflow.server.library.feed import MOST, Episode, Pages, item, rss
from voiceflow.server.library.fragments import Fragments
from voiceflow.server.library.kept import Keeper, Kept
from voiceflow.server.studio import Studio

START: Final = "hip-back-short"  # the one episode until something is kept
_HELD: Final = 4


@dataclass(frozen=True, slots=True)
class FeedPage:
    """A page of the feed, see `feed.addressed`; `changed` in seconds since the epoch."""

    body: bytes
    digest: str
    changed: int


class FeedPages:
    """The feed of a studio.

    Parameters
    ----------
    studio : Studio
    keeper : Keeper
    """

    def __init__(self, studio: Studio, keeper: Keeper) -> None:
        self._studio, self._keeper = studio, keeper
        self._items = Fragments(self._item, 2 * MOST)
        self._written: dict[Pages, tuple[tuple[Kept, ...], bytes, str]] = {}

    async def page(self, client: str, asked: str) -> FeedPage:
        """The page whose number is asked for.

        Raises
        ------
        Refusal
            404 if there is no such page; 503 or 507 if what was lost cannot be made now.
        """
        pages, found = await asyncio.to_thread(self._find, asked)
        # Before the feed is written: a lost cache costs time, but no episode.
        if lost := await asyncio.to_thread(self._keeper.lost, found):
            for one in lost:
                await self._again(client, one)
            pages, found = await asyncio.to_thread(self._find, asked)
        await asyncio.to_thread(self._keeper.refresh, found)
        if not found:
            return await self._first(client)
        return await asyncio.to_thread(self._page, pages, found)

    def _find(self, asked: str) -> tuple[Pages, tuple[Kept, ...]]:
        """The number of a page and what is on it. Raises Refusal."""
        whole = self._keeper.all()
        count = max(1, -(-len(whole) // MOST))
        number = int(asked[:9]) if asked.isascii() and asked.isdecimal() else 0
        if not 1 <= number <= count:
            raise unknown("page of the feed", asked[:60], f"there are pages 1 to {count}")
        return Pages(number, count), whole[(number - 1) * MOST : number * MOST]

    def _page(self, pages: Pages, found: tuple[Kept, ...]) -> FeedPage:
        # The list's own time, too: a removed episode shows in no other.
        changed = max(self._keeper.changed(), *(one.changed for one in found))
        known = self._written.get(pages)
        if known is not None and known[0] == found:
            return FeedPage(*known[1:], changed)
        items = {kept: made for kept in found if (made := self._items.get(kept)) is not None}
        latest = max((kept.changed for kept in items), default=0)
        body = rss(self._episode(next(iter(items), None)), [*items.values()], latest, pages)
        digest = fingerprint(body)
        # What is incomplete is so for a moment only.
        if len(items) == len(found):
            self._written = dict([*self._written.items()][1 - _HELD :])
            self._written[pages] = found, body, digest
        return FeedPage(body, digest, changed)

    def _item(self, kept: Kept) -> bytes | None:
        episode = self._episode(kept)
        return item(episode) if episode is not None else None

    def _episode(self, kept: Kept | None) -> Episode | None:
        render = self._studio.renders.get(kept.render) if kept is not None else None
        if kept is None or render is None:
            return None
        return Episode(render, kept.guid, kept.created, kept.changed)

    async def _first(self, client: str) -> FeedPage:
        """The feed until something is kept: one episode to begin with."""
        since = await asyncio.to_thread(self._keeper.changed)
        try:
            render = await self._studio.decided(client, START, {})
        except Refusal:
            body = rss(None, [], 0)
            return FeedPage(body, fingerprint(body), since)
        made = Episode(render, f"voiceflow:start:{START}", render.created, render.created)
        body = rss(made, [item(made)], made.changed)
        return FeedPage(body, fingerprint(body), max(since, made.changed))

    async def _again(self, client: str, kept: Kept) -> None:
        """Decide a lost render again to keep its episode, unless its script now has errors."""
        try:
            render = await self._studio.decided(client, kept.slug, {})
        except Refusal as refusal:
            # Busy or out of space will pass; the episode must not vanish from the feed for it.
            if refusal.status in (503, 507):
                raise
            return
        await asyncio.to_thread(self._keeper.renewed, kept.slug, render)
