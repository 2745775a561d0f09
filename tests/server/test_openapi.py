"""`openapi.json` is written by hand: these tests compare it with routes, tables and responses.

They fail if a route, an option or a status code is missing in the description.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import httpx
import jsonschema
import pytest

pytest.importorskip("starlette", reason="the extra `serve` is not installed")

from serving import InProcess, in_process, make

from voiceflow.script.models import EQUIPMENT, LEVELS, PACING
from voiceflow.server.http.routes import CHANGES, OPENAPI, Api
from voiceflow.server.library.kept import LONGEST_TITLE, Keeper
from voiceflow.server.library.lists import MOST, WORDS
from voiceflow.server.library.requested_options import KEYS, LONGEST_NAME

Json = dict[str, Any]
TOLD: Json = json.loads(OPENAPI.read_text(encoding="utf-8"))
SCHEMAS: Json = TOLD["components"]["schemas"]

# The parts of OpenAPI 3.1 that the description uses, as the specification has them.
_CONTENT = {
    "type": "object",
    "minProperties": 1,
    "propertyNames": {"pattern": r"^[\w-]+/[\w.+-]+$"},
    "additionalProperties": {
        "type": "object",
        "properties": {"schema": {"type": ["object", "boolean"]}},
        "additionalProperties": False,
    },
}
_RESPONSE = {
    "type": "object",
    "properties": {"description": {"type": "string"}, "content": _CONTENT},
    "required": ["description"],
    "additionalProperties": False,
}
_REFERENCE = {
    "type": "object",
    "properties": {"$ref": {"type": "string", "pattern": "^#/components/"}},
    "required": ["$ref"],
    "additionalProperties": False,
}
_PARAMETER = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "in": {"enum": ["path", "query", "header", "cookie"]},
        "required": {"type": "boolean"},
        "description": {"type": "string"},
        "schema": {"type": "object"},
    },
    "if": {"properties": {"in": {"const": "path"}}},
    "then": {"properties": {"required": {"const": True}}},
    "required": ["name", "in", "required", "schema"],
    "additionalProperties": False,
}
_OPERATION = {
    "type": "object",
    "properties": {
        "summary": {"type": "string", "minLength": 5},
        "security": {"type": "array", "items": {"type": "object"}},
        "parameters": {"type": "array", "items": _PARAMETER},
        "requestBody": {
            "type": "object",
            "properties": {"required": {"type": "boolean"}, "content": _CONTENT},
            "required": ["content"],
            "additionalProperties": False,
        },
        "responses": {
            "type": "object",
            "minProperties": 1,
            "propertyNames": {"pattern": "^([1-5][0-9][0-9]|[1-5]XX|default)$"},
            "additionalProperties": {"anyOf": [_RESPONSE, _REFERENCE]},
        },
    },
    "required": ["summary", "responses"],
    "additionalProperties": False,
}
OPENAPI_31 = {
    "type": "object",
    "properties": {
        "openapi": {"pattern": r"^3\.1\.\d+$"},
        "info": {
            "type": "object",
            "properties": {key: {"type": "string"} for key in ("title", "version", "summary")},
            "required": ["title", "version"],
            "additionalProperties": False,
        },
        "servers": {"type": "array", "items": {"type": "object", "required": ["url"]}},
        "security": {"type": "array", "items": {"type": "object"}},
        "paths": {
            "type": "object",
            "propertyNames": {"pattern": "^/"},
            "additionalProperties": {
                "type": "object",
                "propertyNames": {"enum": ["get", "put", "post", "delete", "head", "patch"]},
                "additionalProperties": _OPERATION,
            },
        },
        "components": {
            "type": "object",
            "properties": {
                "securitySchemes": {"type": "object"},
                "schemas": {"type": "object", "propertyNames": {"pattern": r"^[\w.-]+$"}},
                "responses": {"type": "object", "additionalProperties": _RESPONSE},
            },
            "additionalProperties": False,
        },
    },
    "required": ["openapi", "info", "paths"],
    "additionalProperties": False,
}


@pytest.fixture(scope="module")
def inside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InProcess]:
    with in_process(tmp_path_factory.mktemp("home")) as inside:
        yield inside


def references(node: object) -> Iterator[str]:
    """Every `$ref` in a part of the description."""
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def resolved(reference: str) -> Json:
    found = TOLD
    for step in reference.removeprefix("#/").split("/"):
        found = found[step]
    return found


def operations() -> Iterator[tuple[str, str, Json]]:
    for path, found in TOLD["paths"].items():
        for method, operation in found.items():
            yield path, method.upper(), operation


# Valid


def test_it_is_openapi() -> None:
    jsonschema.Draft202012Validator(OPENAPI_31).validate(TOLD)
    for schema in SCHEMAS.values():
        jsonschema.Draft202012Validator.check_schema(schema)
    for reference in references(TOLD):
        assert resolved(reference), reference
    schemes = set(TOLD["components"]["securitySchemes"])
    assert {name for one in TOLD["security"] for name in one} == schemes


def test_no_schema_is_left_that_nothing_names() -> None:
    named = {reference.split("/")[3] for reference in references(TOLD)}
    assert named == {*SCHEMAS, *TOLD["components"]["responses"]}


def test_each_path_names_its_parameters() -> None:
    for path, method, operation in operations():
        given = {one["name"] for one in operation.get("parameters", ()) if one["in"] == "path"}
        assert given == set(re.findall(r"\{(\w+)\}", path)), (method, path)


# As the code has it


def test_every_route_is_described_and_nothing_else(inside: InProcess) -> None:
    routes = {
        (route.path, method)
        for route in Api(inside.studio, Keeper(inside.studio)).routes()
        for method in (route.methods or set()) - {"HEAD"}
    }
    assert {(path, method) for path, method, _ in operations()} == routes


def test_options_are_those_of_the_table() -> None:
    options: Json = SCHEMAS["Options"]["properties"]
    assert tuple(options) == KEYS
    assert options["level"]["enum"] == list(LEVELS)
    assert options["equipment"]["items"]["enum"] == list(EQUIPMENT)
    assert options["name"]["maxLength"] == LONGEST_NAME
    assert SCHEMAS["Keep"]["properties"]["title"]["maxLength"] == LONGEST_TITLE
    for path in (f"/api/v1/{name}" for name in ("sessions", "kept")):
        limit, after = TOLD["paths"][path]["get"]["parameters"]
        assert (limit["name"], after["name"]) == WORDS
        assert limit["schema"]["maximum"] == MOST
        assert f"without it, {MOST}." in limit["description"]
    assert tuple(SCHEMAS["Change"]["properties"]) == ("event_ms", *CHANGES)
    for field in PACING:
        if field.name != "tones":  # a name among those on offer, here
            described = dict(options[field.name])
            assert described.pop("description")
            assert described == field.kind.schema(), field.name


# As the server answers


def check(answer: httpx.Response, path: str) -> Json:
    """Hold an answer against the operation that it answers."""
    operation = TOLD["paths"][path][answer.request.method.lower()]
    responses, status = operation["responses"], str(answer.status_code)
    told = responses.get(status) or responses[f"{status[0]}XX"]
    told = resolved(told["$ref"]) if "$ref" in told else told
    kind = answer.headers.get("content-type", "").partition(";")[0]
    if "content" not in told:
        assert answer.content == b"", (path, status)
        return {}
    assert kind in told["content"], (path, status, kind)
    if not kind.startswith("application/json"):
        return {}
    found: Json = answer.json()
    schema = told["content"][kind].get("schema", {})
    jsonschema.validate(found, {**TOLD, **schema})
    return found


def test_every_operation_answers_as_described(inside: InProcess) -> None:
    phone = inside.phone()
    seen: set[tuple[str, str]] = set()

    def ask(method: str, path: str, status: int, headers: Json | None = None, **more: Any) -> Json:
        """`more` fills the path; `json` is the body."""
        body = {"json": more.pop("json")} if "json" in more else {}
        answer = phone.request(method, path.format(**more), headers=headers, **body)
        assert answer.status_code == status, (method, path, answer.text)
        path = path.partition("?")[0]
        seen.add((path, method))
        return check(answer, path)

    v1 = "/api/v1"
    made = ask("POST", f"{v1}/renders", 201, json={"session": "two-breaths"})
    which = made["id"]
    ask("POST", f"{v1}/renders", 404, json={"session": "none"})
    ask("POST", f"{v1}/renders", 422, json={"session": "two-breaths", "options": {"tempo": 99}})
    ask("POST", f"{v1}/renders", 422, json={"session": "not-yet"})
    assert ask("GET", f"{v1}/openapi.json", 200) == TOLD
    ask("GET", f"{v1}/sessions", 200)
    first = ask("GET", f"{v1}/sessions?limit=1", 200)
    assert ask("GET", first["next"], 200)["sessions"] != first["sessions"]
    ask("GET", f"{v1}/sessions?limit=0", 422)
    tag = phone.get(f"{v1}/sessions").headers["etag"]
    ask("GET", f"{v1}/sessions", 304, {"If-None-Match": tag})
    ask("GET", f"{v1}/sessions/{{slug}}", 200, slug="two-breaths")
    ask("GET", f"{v1}/sessions/{{slug}}", 200, slug="not-yet")
    ask("GET", f"{v1}/sessions/{{slug}}", 404, slug="none")
    ask("GET", f"{v1}/choices", 200)
    ask("GET", f"{v1}/renders/{{id}}", 200, id=which)
    change = {"event_ms": 0, "tempo": 0.9, "breath_in": "4s"}
    ask("POST", f"{v1}/renders/{{id}}/from", 201, id=which, json=change)
    ask("POST", f"{v1}/renders/{{id}}/from", 422, id=which, json={"event_ms": -1})
    for name in ("score.json", "chapters.json", "words.vtt", "cover.jpg", "picture.svg"):
        ask("GET", f"/renders/{{id}}/{name}", 200, id=which)
    mp3 = "/renders/{id}.mp3"
    ask("GET", mp3, 200, id=which)
    ask("GET", mp3, 206, {"Range": "bytes=0-9"}, id=which)
    ask("GET", mp3, 416, {"Range": f"bytes={made['bytes']}-"}, id=which)
    ask("GET", mp3, 304, {"If-None-Match": f'"{which}"'}, id=which)
    ask("GET", mp3, 412, {"If-Match": '"other"'}, id=which)
    ask("GET", mp3, 404, id="0" * 40)
    kept = ask("POST", f"{v1}/kept", 201, json={"render": which, "title": "Kept"})
    ask("POST", f"{v1}/kept", 422, json={"render": which, "title": ""})
    ask("GET", f"{v1}/kept", 200)
    feed = ask("POST", f"{v1}/feed", 201, json={})["feed"]
    ask("GET", f"{v1}/feed", 200)
    token = feed.rpartition("/")[2].removesuffix(".xml")
    ask("GET", "/feed/{token}.xml", 200, token=token)
    for ending in ("mp3", "json", "vtt", "jpg"):
        ask("GET", f"/feed/{{token}}/{{id}}.{ending}", 200, token=token, id=which)
    ask("GET", "/feed/{token}.xml", 401, token="wrong")
    ask("DELETE", f"{v1}/feed", 204)
    ask("DELETE", f"{v1}/kept/{{slug}}", 200, slug=kept["slug"])
    ask("POST", f"{v1}/pairings", 201, json={})
    other = inside.phone()
    phones = ask("GET", f"{v1}/phones", 200)["phones"]
    gone = next(one["id"] for one in phones if not one["this"])
    ask("DELETE", f"{v1}/phones/{{id}}", 204, id=gone)
    ask("DELETE", f"{v1}/phones/{{id}}", 404, id=gone)
    assert other.get("/").status_code == 401
    assert seen == {(path, method) for path, method, _ in operations()}


def test_what_the_description_forbids_is_refused(inside: InProcess) -> None:
    phone = inside.phone()
    for options in ({"tempoo": 1}, {"level": 9}, {"equipment": ["gun"]}, {"tempo": 99}):
        wish = {"session": "two-breaths", "options": options}
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(wish, {**TOLD, "$ref": "#/components/schemas/Wish"})
        assert phone.post("/api/v1/renders", json=wish).status_code == 422
    wish = {"session": "two-breaths", "options": {"tempo": 0.9, "minutes": "4:00", "level": 2}}
    jsonschema.validate(wish, {**TOLD, "$ref": "#/components/schemas/Wish"})
    assert make(phone, **wish["options"])["options"] == wish["options"]  # type: ignore[arg-type]
