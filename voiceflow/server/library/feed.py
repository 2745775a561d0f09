"""The podcast feed: RSS 2.0 with the tags of iTunes, Podcasting 2.0 and Podlove chapters.

Episodes (kept sessions and their renders) come in; the feed's bytes go out. Lengths are exact to
the byte, although the MP3 may not have been made yet.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from email.utils import formatdate
from typing import Final
from uuid import NAMESPACE_URL, uuid5
from xml.etree import ElementTree as Xml

from voiceflow import __version__
from voiceflow.core.units import clock
from voiceflow.formats.labels import plain, timestamp
from voiceflow.server.jobs.render_records import Render

ITUNES: Final = "http://www.itunes.com/dtds/podcast-1.0.dtd"
PODCAST: Final = "https://podcastindex.org/namespace/1.0"
ATOM: Final = "http://www.w3.org/2005/Atom"
PSC: Final = "http://podlove.org/simple-chapters"
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


def rss(episodes: Sequence[Episode], base: str, phone: str) -> bytes:
    """The bytes of the feed; equal for equal episodes.

    Parameters
    ----------
    base : str
        The URL of the feed without ``.xml``.
    phone : str
        The id of the phone whose feed it is (public; not its token).
    """
    root = Xml.Element("rss", version="2.0")
    channel = Xml.SubElement(root, "channel")
    # Not the present time: an unchanged feed has to be the same bytes, or its ETag is useless.
    changed = max((one.changed for one in episodes), default=0)
    language = episodes[0].render.score.language if episodes else "en"
    about = "Sessions to follow with eyes closed: what you kept on your phone."
    _add(channel, "title", "voiceflow: my sessions")
    _add(channel, "link", base.rpartition("/feed/")[0] + "/")
    _add(channel, "description", about)
    _add(channel, "language", language.lower())
    _add(channel, "generator", f"voiceflow {__version__}")
    _add(channel, "lastBuildDate", formatdate(changed, usegmt=True))
    _add(channel, "pubDate", formatdate(changed, usegmt=True))
    _add(channel, "ttl", "15")
    link = {"href": f"{base}.xml", "rel": "self", "type": "application/rss+xml"}
    Xml.SubElement(channel, f"{{{ATOM}}}link", link)
    _itunes(channel, "author", "voiceflow")
    _itunes(channel, "summary", about)
    _itunes(channel, "type", "episodic")
    _itunes(channel, "explicit", "false")
    _itunes(channel, "block", "Yes")  # private: no directory may list it
    category = Xml.SubElement(channel, f"{{{ITUNES}}}category", text="Health & Fitness")
    Xml.SubElement(category, f"{{{ITUNES}}}category", text="Fitness")
    if episodes:
        cover = f"{base}/{episodes[0].render.id}.jpg"
        Xml.SubElement(channel, f"{{{ITUNES}}}image", href=cover)
        image = Xml.SubElement(channel, "image")
        _add(image, "url", cover)
        _add(image, "title", "voiceflow: my sessions")
        _add(image, "link", base.rpartition("/feed/")[0] + "/")
    # From the phone, not from the address, which changes whenever its token is renewed.
    _podcast(channel, "guid", str(uuid5(NAMESPACE_URL, f"voiceflow:{phone}")))
    _podcast(channel, "locked", "yes")
    _podcast(channel, "medium", "podcast")
    for episode in episodes:
        _item(channel, episode, base)
    Xml.indent(root, " ")
    text: bytes = Xml.tostring(root, encoding="utf-8", xml_declaration=True)
    return text + b"\n"


def _item(channel: Xml.Element, episode: Episode, base: str) -> None:
    render = episode.render
    item, address = Xml.SubElement(channel, "item"), f"{base}/{render.id}"
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
