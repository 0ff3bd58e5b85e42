"""What people see, in a real browser: taken, checked for noise, and kept as pictures of this run."""

from __future__ import annotations

import re
import shutil
from urllib.parse import urlsplit

import pytest

from .conftest import DESKTOP, PHONE, Browser

pytestmark = [
    pytest.mark.needs("chromium"),
    pytest.mark.skipif(
        not shutil.which("chromium") or not shutil.which("chromedriver"), reason="needs chromium"
    ),
    pytest.mark.timeout(120),
]
CHARTED = {"first": "/", "question": "/browse/results/outcomes_by_day", "flaky": "/browse/results/flaky"}
PAGES = {
    **CHARTED,
    "results": "/browse/results/result",
    "coverage": "/coverage",
    "item": "/item/bash-5.2-1.fc40",
    "questions": "/browse/results",
    "quarantine": "/quarantine",
    "record": "/quarantine/3",
    "api": "/api",
}
MEAN = """
const canvas = document.querySelector('figure.chart canvas');
const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
let painted = 0;
for (let at = 3; at < pixels.length; at += 4) painted += pixels[at] > 0;
return painted / (pixels.length / 4);
"""


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_quiet_stays_on_its_host_and_fits_its_window(
    browser: Browser, name: str, size: tuple[int, int]
) -> None:
    browser.open(PAGES[name], size)
    shot = browser.shoot(name, size)
    assert browser.complaints == []
    assert browser.asked
    host = urlsplit(browser.root).netloc
    assert {urlsplit(url).netloc for url in browser.asked if not url.startswith("data:")} == {host}
    assert browser.run("return document.documentElement.scrollWidth") <= size[0]
    assert shot.stat().st_size > 10_000


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("name", CHARTED)
def test_a_chart_is_really_painted(browser: Browser, name: str, size: tuple[int, int]) -> None:
    browser.open(CHARTED[name], size)
    assert browser.run("return document.querySelector('figure.chart').dataset.drawn") == "yes"
    assert browser.run(MEAN) > 0.1


def test_a_chart_shows_the_figures_of_its_table(browser: Browser) -> None:
    browser.open("/browse/results/outcomes_by_day")
    drawn = browser.run(
        "return Chart.getChart(document.querySelector('canvas')).data.datasets.flatMap(d => d.data)"
    )
    listed = browser.run(
        "return [...document.querySelectorAll('td.col-results')].map(cell => Number(cell.textContent))"
    )
    assert sum(drawn) == sum(listed) > 0


def test_dark_mode_turns_the_page_dark(browser: Browser) -> None:
    features = [{"name": "prefers-color-scheme", "value": "dark"}]
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    try:
        for path in ("/", "/browse/results/result", "/browse/results/flaky"):
            browser.open(path)
            browser.shoot("dark" + path.replace("/", "-"), DESKTOP)
            painted = browser.run("return getComputedStyle(document.body).backgroundColor")
            assert max(int(part) for part in re.findall(r"\d+", painted)[:3]) < 60, path
    finally:
        browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def test_a_keyboard_reaches_the_search_box_and_finds_an_item(browser: Browser) -> None:
    browser.open("/")
    box = browser.driver.find_element("id", "q")
    box.send_keys("bash-5.2-1.fc40\n")
    assert browser.driver.current_url.endswith("/item/bash-5.2-1.fc40")
    assert browser.driver.find_element("tag name", "h1").text == "bash-5.2-1.fc40"
