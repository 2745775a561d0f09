"""The description of the JSON API, made of the tables that read it."""

from __future__ import annotations

from typing import Any, Final

from voiceflow import __version__
from voiceflow.script.models import EQUIPMENT, PACING
from voiceflow.server.library.wishes import LONGEST_NAME

Json = dict[str, Any]

_TEXT: Final[Json] = {"type": "string"}
_MS: Final[Json] = {"type": "integer", "minimum": 0}


def description() -> Json:
    """OpenAPI 3.1 of version 1."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "voiceflow serve", "version": "1", "summary": __version__},
        "servers": [{"url": "/"}],
        "security": [{"cookie": []}, {"bearer": []}],
        "paths": _paths(),
        "components": {
            "securitySchemes": {
                "cookie": {"type": "apiKey", "in": "cookie", "name": "vf"},
                "bearer": {"type": "http", "scheme": "bearer"},
            },
            "schemas": _schemas(),
        },
    }


def _paths() -> Json:
    return {
        "/api/v1/sessions": {"get": _reads("All sessions of the library.", "Sessions")},
        "/api/v1/sessions/{slug}": {
            "get": _reads("One session, with what can be chosen for it.", "Session", "slug")
        },
        "/api/v1/choices": {"get": _reads("What can be chosen.", "Choices")},
        "/api/v1/renders": {"post": _makes("Decide a session.", "Wish", "Render")},
        "/api/v1/renders/{id}": {
            "get": _reads("A render, and how far its MP3 is made.", "Render", "id")
        },
        "/api/v1/renders/{id}/from": {
            "post": _makes("The same with changed pacing.", "Change", "Render", "id")
        },
        "/api/v1/kept": {
            "get": _reads("What is kept, the newest first.", "KeptList"),
            "post": _makes("Keep a render as a session.", "Keep", "Render"),
        },
        "/api/v1/kept/{slug}": {"delete": _removes("Take it out of the feed.", "slug", 200)},
        "/api/v1/phones": {"get": _reads("The paired phones.", "Phones")},
        "/api/v1/phones/{id}": {"delete": _removes("Forget a phone.", "id")},
        "/api/v1/pairings": {"post": _makes("A code to pair another phone.", "Nothing", "Code")},
        "/api/v1/feed": {
            "get": _reads("The address of this phone's feed.", "Feed"),
            "post": _makes("A new address; the old one is void.", "Nothing", "Feed"),
            "delete": _removes("No feed for this phone."),
        },
        "/renders/{id}.mp3": {"get": _file("The MP3; ranges, HEAD and ETag.", "audio/mpeg")},
        "/renders/{id}/score.json": {"get": _file("The score.", "application/json")},
        "/renders/{id}/chapters.json": {"get": _file("Chapters.", "application/json")},
        "/renders/{id}/words.vtt": {"get": _file("What is said.", "text/vtt")},
        "/renders/{id}/cover.jpg": {"get": _file("The cover.", "image/jpeg")},
        "/renders/{id}/picture.svg": {"get": _file("The timeline.", "image/svg+xml")},
    }


def _schemas() -> Json:
    return {
        "Nothing": _object({}),
        "Options": _object(_options()),
        "Wish": _object({"session": _TEXT, "options": _ref("Options")}, ["session"]),
        "Change": _object(
            {
                "event_ms": {**_MS, "description": "Where the listener is."},
                **{key: _options()[key] for key in ("tempo", "detail", "pace")},
            },
            ["event_ms"],
        ),
        "Keep": _object(
            {"render": _TEXT, "title": {"type": "string", "maxLength": 120}}, ["render"]
        ),
        "Render": _open(
            {
                "id": _TEXT,
                "session": _TEXT,
                "title": _TEXT,
                "length_ms": _MS,
                "bytes": _MS,
                "resume_ms": {**_MS, "description": "Where to go on, after a change."},
                "state": {"enum": ["waiting", "making", "ready", "failed"]},
                "made": _MS,
                "kept": {"type": ["string", "null"]},
                **dict.fromkeys(
                    ("mp3", "score", "chapters", "transcript", "cover", "picture", "player"), _TEXT
                ),
            }
        ),
        "Session": _open(
            {
                "slug": _TEXT,
                "title": _TEXT,
                "about": _TEXT,
                "minutes": {"type": ["integer", "null"]},
                "length_ms": {"type": ["integer", "null"]},
                "positions": _list(_TEXT),
                "equipment": _list({"enum": list(EQUIPMENT)}),
                "own": {"type": "boolean"},
                "kept": {"type": "boolean"},
                "errors": _list(_ref("Fault")),
                "defaults": {"type": "object"},
                "choices": _ref("Choices"),
            }
        ),
        "Sessions": _open({"sessions": _list(_ref("Session"))}),
        "Choices": {"type": "object", "additionalProperties": _list(_open({"name": {}}))},
        "KeptList": _open({"kept": _list(_ref("Render"))}),
        "Phones": _open({"phones": _list(_open({"id": _TEXT, "name": _TEXT, "seen": _TEXT}))}),
        "Code": _open({"address": _TEXT, "lasts_s": {"type": "number"}, "svg": _TEXT}),
        "Feed": _open({"feed": {"type": ["string", "null"]}}),
        "Fault": _open(
            {
                "message": _TEXT,
                "hint": _TEXT,
                "severity": {"enum": ["error", "warning"]},
                "field": _TEXT,
                "file": _TEXT,
                "line": {"type": "integer"},
                "column": {"type": "integer"},
            }
        ),
        "Refusal": _open(
            {
                "error": _TEXT,
                "message": _TEXT,
                "hint": _TEXT,
                "errors": _list(_ref("Fault")),
                "retry_after": {"type": "integer", "description": "Seconds."},
            }
        ),
    }


def _options() -> Json:
    named = {
        "pace": "One of `choices.paces`.",
        "voice": "One of `choices.voices`.",
        "phrases": "One of `choices.phrases`.",
        "tones": "One of `choices.tones`.",
        "bed": "One of `choices.beds`.",
    }
    return {
        "minutes": {
            "type": ["string", "number"],
            "description": "How long it shall last: 20, or 12:30.",
        },
        "level": {"enum": [1, 2, 3]},
        "equipment": _list({"enum": list(EQUIPMENT)}),
        "name": {"type": "string", "maxLength": LONGEST_NAME},
        **{key: {"type": "string", "description": about} for key, about in named.items()},
        **{
            field.name: {"description": field.about, **field.kind.schema()}
            for field in PACING
            if field.name != "tones"
        },
    }


def _object(properties: Json, required: list[str] | None = None) -> Json:
    told: Json = {"type": "object", "properties": properties, "additionalProperties": False}
    return {**told, "required": required} if required else told


def _open(properties: Json) -> Json:
    return {"type": "object", "properties": properties}


def _list(items: Json) -> Json:
    return {"type": "array", "items": items}


def _ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def _json(name: str) -> Json:
    return {"application/json": {"schema": _ref(name)}}


def _parameter(name: str) -> list[Json]:
    return [{"name": name, "in": "path", "required": True, "schema": _TEXT}] if name else []


def _answers(status: int, about: str, content: Json | None = None) -> Json:
    refusal = {"description": "It is refused.", "content": _json("Refusal")}
    good: Json = {"description": about, **({"content": content} if content else {})}
    return {str(status): good, "4XX": refusal, "5XX": refusal}


def _reads(about: str, name: str, parameter: str = "") -> Json:
    answers = _answers(200, about, _json(name))
    return {"summary": about, "parameters": _parameter(parameter), "responses": answers}


def _makes(about: str, given: str, name: str, parameter: str = "") -> Json:
    return {
        "summary": about,
        "parameters": _parameter(parameter),
        "requestBody": {"content": _json(given)},
        "responses": _answers(201, about, _json(name)),
    }


def _removes(about: str, parameter: str = "", status: int = 204) -> Json:
    answers = _answers(status, about)
    return {"summary": about, "parameters": _parameter(parameter), "responses": answers}


def _file(about: str, kind: str) -> Json:
    answers = _answers(200, about, {kind: {}})
    return {"summary": about, "parameters": _parameter("id"), "responses": answers}
