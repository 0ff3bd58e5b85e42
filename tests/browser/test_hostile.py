"""Hostile texts of a source in a real browser: nothing of them runs."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import pytest
from selenium import webdriver

from ci_results.domain.garbled import Garbled
from ci_results.domain.page import Page
from ci_results.domain.result import Result
from ci_results.store.sqlite import SqliteStore

from .conftest import PHONE, Browser, start

pytestmark = [
    pytest.mark.needs("chromium"),
    pytest.mark.skipif(
        not shutil.which("chromium") or not shutil.which("chromedriver"), reason="needs chromium"
    ),
    pytest.mark.timeout(120),
]
SCRIPT = "<script>window.owned = true</script><img src=x onerror='window.owned = true'>"
URL = "javascript:window.owned=true"
QUESTION = "/browse/results/latest_for_item?item=" + quote(SCRIPT)


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    path: Path = tmp_path_factory.mktemp("attacked") / "results.db"
    store = SqliteStore.open(path)
    result = Result(
        source="file",
        key=SCRIPT,
        testcase=f"evil.{SCRIPT}",
        outcome="FAILED",
        item=SCRIPT,
        item_type="ci_build",
        submit_time=datetime.now(UTC),
        ref_url=URL,
        note=SCRIPT,
        data={},
    )
    garbled = Garbled(raw=SCRIPT.encode(), reason=SCRIPT, position="line 1")
    binary = Garbled(raw=bytes(range(256)) + SCRIPT.encode(), reason="no report", position="byte 300")
    told = {"item": SCRIPT, "format": SCRIPT}
    bad = [garbled, binary]
    store.commit_page(Page(source="file", results=[result], quarantine=bad, door="report", told=told))
    store.close()
    yield from start(path)


def test_bytes_that_are_no_text_show_as_digits_in_a_phones_width(
    driver: webdriver.Chrome, attacked: str, tmp_path: Path
) -> None:
    browser = Browser(driver, attacked, tmp_path)
    browser.open("/quarantine/2", PHONE)
    browser.shoot("binary", PHONE)
    lines = browser.run("return [...document.querySelectorAll('pre.raw span')].map(line => line.innerText)")
    assert lines[0].startswith("▸ 0000012c")
    assert browser.run("return document.documentElement.scrollWidth") <= PHONE[0]
    assert browser.run("return window.owned === undefined")


@pytest.mark.parametrize(
    "path", ["/", f"/item/{quote(SCRIPT, safe='')}", "/quarantine/1", "/browse/results/result", QUESTION]
)
def test_hostile_text_is_shown_and_never_run(
    driver: webdriver.Chrome, attacked: str, tmp_path: Path, path: str
) -> None:
    browser = Browser(driver, attacked, tmp_path)
    browser.open(path)
    assert "<script>window.owned" in browser.run("return document.body.innerText")
    for link in driver.find_elements("css selector", "a[href^='javascript']"):
        link.click()
    assert browser.run("return [window.owned === undefined, document.images.length]") == [True, 0]
    assert driver.find_elements("css selector", "a[href^='javascript']") == []
    assert browser.complaints == []
