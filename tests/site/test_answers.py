"""Every answer carries the site's headers, every error is the site's own page, and no link or redirect leads where the
address of a request says."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.site.conftest import Browser

CARRIED = {
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex, nofollow, noarchive",
}
ODD_PATHS = (
    "/cy//evil.example/", "//evil.example/", "/%2Fevil.example/", "/cy/%2Fevil.example", "/%5Cevil.example",
    "/cy/%5C%5Cevil.example/", "/%09/evil.example", "/cy/%0A/evil.example", "/safety/", "/cy/safety/", "/cy/cy/",
    "/step/", "/step/1/", "/step/" + "9" * 5000, "/step/%D9%A1", "/step/-1", "/step/1e3", "/static", "/static/",
    "/static/nowhere.css", "/static/%00", "/static/..%2Fapp.py", "/static/" + "x" * 300, "/health", "/health/live/",
    "/%FF%FE", "/%00", "/javascript:alert(1)", "/http://evil.example/", "/nowhere?a=" + "b" * 20_000, "/safety%0A",
    "/%3Cscript%3E",
)  # fmt: skip


def without_following(browser: Browser) -> TestClient:
    return TestClient(browser.client.app, follow_redirects=False)


def links(html: str) -> set[str]:
    return set(re.findall(r'(?:href|src|action|data-[a-z]+)="([^"#]*)"', html))


def assert_is_ours(answer: Any) -> None:
    """Has everything that leaves no trace, and, if it is an error, our page."""
    for name, value in CARRIED.items():
        assert answer.headers.get(name) == value, (name, answer.status_code)
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    if answer.status_code >= 400:
        assert '<section class="leave"' in answer.text
        assert "116 123" in answer.text


@pytest.mark.parametrize("path", ODD_PATHS, ids=lambda path: path[:30])
def test_an_odd_address_gets_our_page_whose_links_all_lead_to_us(browser: Browser, path: str) -> None:
    for method in ("GET", "HEAD", "POST", "OPTIONS", "PROPFIND"):
        answer = without_following(browser).request(method, f"http://testserver{path}", headers={"Host": "testserver"})
        assert answer.status_code in (404, 405, 200), (method, answer.status_code)
        if method != "HEAD":
            assert_is_ours(answer)
        assert "Location" not in answer.headers
        own = re.compile(r"(/(?![/\\])(cy/)?([a-z]*|static/[a-z.]+\?v=[0-9a-f]+)|tel:[0-9]+)$")
        assert [link for link in links(answer.text) if not own.match(link)] == []
        assert "evil" not in answer.text


@pytest.mark.parametrize(
    "path", ["/safety/", "/safety", "/", "/cy", "/exit", "/step/1", "/static/site.css", "/nowhere"]
)
@pytest.mark.parametrize(
    "host", ["evil.example", "testserver.evil.example", "testserver@evil.example", "evil.example/x", ""]
)
def test_who_asks_for_the_site_by_another_name_is_sent_nowhere(browser: Browser, path: str, host: str) -> None:
    answer = without_following(browser).get(path, headers={"Host": host})
    assert answer.status_code == 400
    assert "Location" not in answer.headers
    assert "evil" not in answer.text
    assert_is_ours(answer)


@pytest.mark.parametrize(
    "host", ["help.example.org", "HELP.example.org:8443", "www.help.example.org", "127.0.0.1:8000", "[::1]:80"]
)
def test_the_names_of_the_site_are_a_setting_and_this_machine_s_own_always_count(
    browse: Callable[..., Browser], host: str
) -> None:
    browser = browse(hosts=("help.example.org", "*.help.example.org"))
    assert without_following(browser).get("/safety", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "TRACE", "OPTIONS", "M-SEARCH"])
@pytest.mark.parametrize("path", ["/stay", "/safety", "/cy/done", "/exit", "/static/site.css", "/health/ready"])
def test_what_a_page_can_t_do_is_said_on_our_page_with_what_it_can(browser: Browser, path: str, method: str) -> None:
    answer = without_following(browser).request(method, path)
    allowed = {"POST"} if path == "/stay" else {"GET", "HEAD"}
    if method in allowed:
        return
    assert answer.status_code == 405
    assert set(re.split(", *", answer.headers["Allow"])) == allowed
    assert_is_ours(answer)


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/static/site.css", {"Range": "bytes=999999-"}, 416),
        ("/static/site.css", {"Range": "pages=1"}, 400),
        ("/", {"Cookie": "visit=" + "x" * 20_000}, 200),
        ("/step/1", {"Cookie": "visit=\xff\xfe; left; =;"}, 303),
        ("/?" + "change=1&" * 5_000, {}, 200),
        ("/?%FF=%ZZ&change", {}, 200),
        ("/", {"Sec-Fetch-Site": "\xff"}, 200),
    ],
)  # fmt: skip
def test_odd_headers_and_queries_break_nothing(
    browser: Browser, path: str, headers: dict[str, str], status: int
) -> None:
    raw = {name: value.encode("latin-1") for name, value in headers.items()}
    answer = without_following(browser).get(path, headers=raw)  # type: ignore[arg-type]
    assert answer.status_code == status
    assert_is_ours(answer)


def test_assets_and_health_carry_the_headers_too_and_only_assets_are_kept(browser: Browser) -> None:
    for path, kept in (("/static/site.css", "public, max-age=31536000, immutable"), ("/health/live", "no-store")):
        answer = browser.client.get(path)
        assert {name: answer.headers[name] for name in CARRIED} == CARRIED | {"Cache-Control": kept}
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    unchanged = browser.client.get("/static/site.css", headers={"If-None-Match": "*"})
    assert (unchanged.status_code, unchanged.headers["Referrer-Policy"]) == (304, "no-referrer")


def test_redirects_lead_to_a_path_of_ours_and_carry_the_headers(browser: Browser) -> None:
    client = without_following(browser)
    began = client.post("/cy/", data={"route": "self"})
    for answer in (
        began,
        client.get("/step/1"),
        client.get("/cy/check"),
        client.get("/again"),
        client.post("/cy/step/007"),
    ):
        assert answer.status_code == 303
        assert re.fullmatch(r"(/cy)?/[a-z]*(/[0-9]+)?(\?begun=1)?", answer.headers["Location"])
        assert_is_ours(answer)


def test_whatever_breaks_anywhere_is_our_page_too(
    browser: Browser, monkeypatch: pytest.MonkeyPatch, capfd: Any
) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError("planted words")

    monkeypatch.setattr("web.site.app.visit_of", broken)
    answer = browser.client.get("/cy/safety")
    assert answer.status_code == 500
    assert_is_ours(answer)
    assert '<html lang="cy">' in answer.text
    told = capfd.readouterr()
    assert "planted words" not in told.out + told.err


def test_after_leaving_in_a_hurry_an_error_tells_nothing_either(browser: Browser) -> None:
    browser.client.get("/exit", follow_redirects=False)
    answer = browser.client.get("/cy/nowhere")
    assert answer.status_code == 404
    assert "Leeward" not in answer.text
    assert {name: answer.headers[name] for name in CARRIED} == CARRIED
