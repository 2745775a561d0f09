"""Styles, scripts and icons: Starlette serves them, with our types and headers."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

pytest.importorskip("starlette", reason="the extra `serve` is not installed")

from serving import in_process

from voiceflow.server.pages.page_routes import HERE


@pytest.fixture(scope="module")
def phone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    with in_process(tmp_path_factory.mktemp("home")) as home:
        yield home.phone()


def test_what_pages_are_made_of_is_there(phone: httpx.Client) -> None:
    types = {
        ".css": "text/css; charset=utf-8",
        ".js": "text/javascript; charset=utf-8",
        ".png": "image/png",
        ".svg": "image/svg+xml",
        ".webmanifest": "application/manifest+json",
    }
    for path in sorted((HERE / "static").iterdir()):
        answer = phone.get(f"/static/{path.name}")
        assert answer.status_code == 200
        assert answer.content == path.read_bytes()
        assert answer.headers["content-type"] == types[path.suffix]
        assert answer.headers["cache-control"] == "no-cache"
        sandboxed = "sandbox" in answer.headers["content-security-policy"]
        assert sandboxed == (path.suffix == ".svg")
        tag = answer.headers["etag"]
        same = phone.get(f"/static/{path.name}", headers={"If-None-Match": tag})
        assert (same.status_code, same.content) == (304, b"")
        assert ("sandbox" in same.headers["content-security-policy"]) == sandboxed
        other = phone.get(f"/static/{path.name}", headers={"If-None-Match": '"other"'})
        assert other.status_code == 200


def test_files_that_are_not_there_are_not_found(phone: httpx.Client) -> None:
    for name in ("", "none.js", "x/y", "n" * 400):
        answer = phone.get(f"/static/{name}")
        assert answer.status_code == 404
        assert "there is no file" in answer.text
    assert phone.post("/static/app.js", json={}).status_code == 405


def test_worker_and_manifest_stand_at_the_root(phone: httpx.Client) -> None:
    worker, manifest = phone.get("/sw.js"), phone.get("/manifest.webmanifest")
    assert worker.headers["service-worker-allowed"] == "/"
    assert worker.headers["content-type"].startswith("text/javascript")
    assert manifest.headers["content-type"] == "application/manifest+json"
    assert manifest.json()["name"] == "voiceflow"
    for path, answer in (("/sw.js", worker), ("/manifest.webmanifest", manifest)):
        assert answer.headers["cache-control"] == "no-cache"
        tag = answer.headers["etag"]
        assert phone.get(path, headers={"If-None-Match": tag}).status_code == 304
