"""The reference page of API 3 in a real browser: readable on a desk and on a phone, offline, and safe."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from fake_server import serving
from selenium import webdriver

from ci_results.config_auth import Auth, TokenTable
from ci_results.serve.auth.tokens import digest

from .conftest import DESKTOP, PHONE, Browser

pytestmark = [
    pytest.mark.needs("chromium"),
    pytest.mark.skipif(
        not shutil.which("chromium") or not shutil.which("chromedriver"), reason="needs chromium"
    ),
    pytest.mark.timeout(120),
]
FIELD = "results/brew-builds/brew_task_id"


@pytest.fixture(scope="module")
def api() -> Iterator[str]:
    with serving(Auth(tokens=(TokenTable(name="bot", sha256=digest("cir_x")),))) as client:
        yield client.root


@pytest.fixture
def page(driver: webdriver.Chrome, api: str, shots: object) -> Browser:
    return Browser(driver, api, shots)  # type: ignore[arg-type]


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_the_page_is_quiet_stays_on_its_host_and_fits_its_window(
    page: Browser, size: tuple[int, int]
) -> None:
    page.open("/api/v3/", size)
    shot = page.shoot("api-v3", size)
    assert page.complaints == []
    host = urlsplit(page.root).netloc
    assert {urlsplit(url).netloc for url in page.asked if not url.startswith("data:")} == {host}
    assert page.run("return document.documentElement.scrollWidth") <= size[0]
    assert shot.stat().st_size > 10_000


def test_an_anchor_leads_to_its_field(page: Browser) -> None:
    page.open("/api/v3/", PHONE)
    page.run(f"document.querySelector('a.anchor-link[href=\"#{FIELD}\"]').click()")
    assert page.driver.current_url.endswith(f"#{FIELD}")
    top = page.run(f"return document.getElementById({FIELD!r}).getBoundingClientRect().top")
    assert -2 <= top < PHONE[1] / 2
    painted = f"return getComputedStyle(document.getElementById({FIELD!r})).backgroundColor"
    assert page.run(painted) != "rgba(0, 0, 0, 0)"


def test_examples_scroll_inside_themselves_and_not_the_page(page: Browser) -> None:
    page.open("/api/v3/", PHONE)
    widest = "return Math.max(...[...document.querySelectorAll('pre')].map(each => each.clientWidth))"
    assert page.run(widest) <= PHONE[0]
