"""The podcast feed: RSS 2.0 with the tags of iTunes, Podcasting 2.0 and Podlove chapters.

Episodes (kept sessions and their renders) come in; the feed's bytes go out, page by page. Lengths
are exact to the byte, although the MP3 may not have been made yet.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from email.utils import formatdate
from typing import Final
from uuid import NAMESPACE_URL, uuid5
from xml.etree import ElementTree as Xml
from xml.sax.saxutils import escape

from voiceflow import __version__
from voiceflow.core.units import clock
from voiceflow.formats.labels import plain, timestamp
from voiceflow.server.jobs.render_records import Render

ITUNES: Final = "http://www.itunes.com/dtds/podcast-1.0.dtd"
PODCAST: Final = "https://podcastindex.org/namespace/1.0"
ATOM: Final = "http://www.w3.org/2005/Atom"
PSC: Final = "http://podlove.org/simple-chapters"
MOST: Final = 500  # episodes on a page
# Stand for what differs from phone to phone. No text in a feed has control characters, see `_add`.
BASE: Final = "\x01base\x01"
_HOME: Final = "\x01home\x01"
_GUID: Final = "\x01guid\x01"
CONTENT_TYPE: Final = "application/rss+xml; charset=utf-8"

_PREFIXES: Final = {"itunes": ITUNES, "podcast": PODCAST, "atom": ATOM, "psc": PSC}
# ElementTree would call them ns0, ns1 and so on.
for _prefix, _uri in _PREFIXES.items():
    Xml.register_namespace(_prefix, _uri)


@dataclass(frozen=True, slots=True)
class Episode:
    """One item: `published` and `changed` in seconds since the epoch."""

    render: Render
    guid: str
    published: int
    changed: int


@dataclass(frozen=True, slots=True)
class Pages:
    """Which page of a feed this is, from 1 on, and how many there are (RFC 5005, section 3)."""

    number: int
    count: int

    def links(self) -> Iterator[tuple[str, int]]:
        """Relations to other pages, and their numbers."""
        yield "self", self.number
        if self.count > 1:
            yield "first", 1
            yield "last", self.count
        if self.number > 1:
            yield "previous", self.number - 1
        if self.number < self.count:
            yield "next", self.number + 1


ONE: Final = Pages(1, 1)


def item(episode: Episode) -> bytes:
    """The bytes of one episode in a feed, with `BASE` where the feed's address belongs."""
    return _cut(_document([episode], Pages(1, 1)))[1]


def rss(first: Episode | None, items: Sequence[bytes], changed: int, pages: Pages = ONE) -> bytes:
    """A page of the feed; equal for equal episodes, whoever's it is.

    Parameters
    ----------
    first : Episode or None
        The newest on this page, which gives the feed its cover and its language.
    items : sequence of bytes
        See `item`.
    changed : int
        When an episode last changed, in seconds since the epoch.
    """
    document = _document([first] if first is not None else [], pages, changed)
    head, _, tail = _cut(document)
    return head + b"".join(items) + tail


def addressed(page: bytes, base: str, phone: str) -> bytes:
    """A page of the feed as it is sent to one phone.

    Parameters
    ----------
    base : str
        The URL of the feed without ``.xml``.
    phone : str
        The id of the phone whose feed it is (public; not its token).
    """
    home = base.rpartition("/feed/")[0] + "/"
    # From the phone, not from the address, which changes whenever its token is renewed.
    guid = str(uuid5(NAMESPACE_URL, f"voiceflow:{phone}"))
    for place, value in ((BASE, base), (_HOME, home), (_GUID, guid)):
        page = page.replace(place.encode(), escape(value, {'"': "&quot;"}).encode())
    return page


def _cut(document: bytes) -> tuple[bytes, bytes, bytes]:
    """What is before the only episode, the episode, and what is after it."""
    # In texts, `<` is written as an entity.
    at, end = document.find(b"  <item>"), document.rfind(b"</item>\n") + len(b"</item>\n")
    if at < 0:
        at = end = document.index(b" </channel>")
    return document[:at], document[at:end], document[end:]


def _document(episodes: Sequence[Episode], pages: Pages, changed: int = 0) -> bytes:
    root = Xml.Element("rss", version="2.0")
    channel = Xml.SubElement(root, "channel")
    language = episodes[0].render.score.language if episodes else "en"
    about = "Sessions to follow with eyes closed: what you kept on your phone."
    _add(channel, "title", "voiceflow: my sessions")
    Xml.SubElement(channel, "link").text = _HOME
    _add(channel, "description", about)
    _add(channel, "language", language.lower())
    _add(channel, "generator", f"voiceflow {__version__}")
    # Not the present time: an unchanged feed has to be the same bytes, or its ETag is useless.
    _add(channel, "lastBuildDate", formatdate(changed, usegmt=True))
    _add(channel, "pubDate", formatdate(changed, usegmt=True))
    _add(channel, "ttl", "15")
    for rel, number in pages.links():
        link = {"href": _address(number), "rel": rel, "type": "application/rss+xml"}
        Xml.SubElement(channel, f"{{{ATOM}}}link", link)
    _itunes(channel, "author", "voiceflow")
    _itunes(channel, "summary", about)
    _itunes(channel, "type", "episodic")
    _itunes(channel, "explicit", "false")
    _itunes(channel, "block", "Yes")  # private: no directory may list it
    category = Xml.SubElement(channel, f"{{{ITUNES}}}category", text="Health & Fitness")
    Xml.SubElement(category, f"{{{ITUNES}}}category", text="Fitness")
    if episodes:
        cover = f"{BASE}/{episodes[0].render.id}.jpg"
        Xml.SubElement(channel, f"{{{ITUNES}}}image", href=cover)
        image = Xml.SubElement(channel, "image")
        _add(image, "url", cover)
        _add(image, "title", "voiceflow: my sessions")
        Xml.SubElement(image, "link").text = _HOME
    Xml.SubElement(channel, f"{{{PODCAST}}}guid").text = _GUID
    _podcast(channel, "locked", "yes")
    _podcast(channel, "medium", "podcast")
    for episode in episodes:
        _item(channel, episode)
    Xml.indent(root, " ")
    text: bytes = Xml.tostring(root, encoding="utf-8", xml_declaration=True)
    return text + b"\n"


def _address(number: int) -> str:
    return f"{BASE}.xml" if number == 1 else f"{BASE}.xml?page={number}"


def _item(channel: Xml.Element, episode: Episode) -> None:
    render = episode.render
    item, address = Xml.SubElement(channel, "item"), f"{BASE}/{render.id}"
    _add(item, "title", render.title)
    about = " ".join(render.score.about.split()) or render.title
    _add(item, "description", f"{about} {_contents(render)}".strip())
    # Said, because RSS takes a guid for an address if nothing is said.
    _add(item, "guid", episode.guid).set("isPermaLink", "false")
    _add(item, "pubDate", formatdate(episode.published, usegmt=True))
    enclosure = {"url": f"{address}.mp3", "length": str(render.bytes), "type": "audio/mpeg"}
    Xml.SubElement(item, "enclosure", enclosure)
    _itunes(item, "title", render.title)
    _itunes(item, "summary", about)
    _itunes(item, "duration", str(round(render.score.length_ms / 1000)))
    _itunes(item, "episodeType", "full")
    _itunes(item, "explicit", "false")
    Xml.SubElement(item, f"{{{ITUNES}}}image", href=f"{address}.jpg")
    chapters = {"url": f"{address}.json", "type": "application/json+chapters"}
    Xml.SubElement(item, f"{{{PODCAST}}}chapters", chapters)
    words = {
        "url": f"{address}.vtt",
        "type": "text/vtt",
        "language": render.score.language,
        "rel": "captions",
    }
    Xml.SubElement(item, f"{{{PODCAST}}}transcript", words)
    simple = Xml.SubElement(item, f"{{{PSC}}}chapters", version="1.2")
    for one in render.score.chapters:
        told = {"start": timestamp(one.start_ms), "title": plain(one.title)}
        Xml.SubElement(simple, f"{{{PSC}}}chapter", told)


def _contents(render: Render) -> str:
    return " · ".join(f"{clock(one.start_ms)} {one.title}" for one in render.score.chapters)


def _add(parent: Xml.Element, name: str, text: str) -> Xml.Element:
    element = Xml.SubElement(parent, name)
    # XML cannot hold control characters, and a title may have some.
    element.text = plain(text)
    return element


def _itunes(parent: Xml.Element, name: str, text: str) -> None:
    _add(parent, f"{{{ITUNES}}}{name}", text)


def _podcast(parent: Xml.Element, name: str, text: str) -> None:
    _add(parent, f"{{{PODCAST}}}{name}", text)
