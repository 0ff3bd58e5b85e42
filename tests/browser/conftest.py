from __future__ import annotations

import base64
import importlib.util
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from in_thread import running
from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from ci_results.serve.app import application
from ci_results.serve.surroundings import Surroundings
from ci_results.store.sqlite import SqliteStore

ROOT = Path(__file__).parents[2]
DESKTOP, PHONE = (1280, 900), (390, 844)
TALLEST = 2400
FLAGS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars"),
)


@dataclass
class Browser:
    """Headless Chromium on one server; remembers what pages complained about and asked for."""

    driver: webdriver.Chrome
    root: str
    shots: Path
    asked: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def open(self, path: str, size: tuple[int, int] = DESKTOP) -> None:
        """Load a page in a window of that size and gather its logs."""
        self.driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": size[0], "height": size[1], "deviceScaleFactor": 1, "mobile": size == PHONE},
        )
        for log in ("performance", "browser"):  # what pages before it asked for
            self.driver.get_log(log)  # type: ignore[no-untyped-call]
        self.asked, self.complaints = [], []
        self.driver.get(self.root + path)
        time.sleep(0.2)
        for entry in self.driver.get_log("performance"):  # type: ignore[no-untyped-call]
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                url = message["params"]["request"]["url"]
                if not url.startswith("chrome://"):  # the browser's own new tab, before our page
                    self.asked.append(url)
        messages = [entry["message"] for entry in self.driver.get_log("browser")]  # type: ignore[no-untyped-call]
        self.complaints = [message for message in messages if not self._of_another(message)]

    def _of_another(self, message: str) -> bool:
        """Tell what a page of a server before this one still complains of."""
        return message.startswith("http://127.0.0.1:") and not message.startswith(self.root)

    def shows(self, words: str, within_s: float = 10) -> None:
        """Wait until the page says so, also where it is another page by then."""
        WebDriverWait(self.driver, within_s, ignored_exceptions=[WebDriverException]).until(
            lambda driver: words in driver.find_element(By.CSS_SELECTOR, "main").text, f"no {words!r}"
        )

    def run(self, script: str) -> Any:
        """Return what a script in the page answers."""
        return self.driver.execute_script(script)

    def shoot(self, name: str, size: tuple[int, int]) -> Path:
        """Take a picture of the page from its top, at most 2400 pixels of it."""
        height = min(self.run("return document.documentElement.scrollHeight"), TALLEST)
        clip = {"x": 0, "y": 0, "width": size[0], "height": height, "scale": 1}
        shot = self.driver.execute_cdp_cmd(
            "Page.captureScreenshot", {"format": "png", "captureBeyondViewport": True, "clip": clip}
        )
        path = self.shots / f"{name}-{size[0]}.png"
        path.write_bytes(base64.b64decode(shot["data"]))
        return path


def load(path: Path, name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def start(store: Path) -> Iterator[str]:
    with SqliteStore.open(store) as opened, running(application(Surroundings(store=opened), store)) as root:
        yield root


@pytest.fixture(scope="session")
def lively(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server over a generated fleet that harvested an hour ago."""
    generator = load(ROOT / "bench" / "generated.py", "generated")
    path = tmp_path_factory.mktemp("lively") / "results.db"
    generator.generate(path, 60_000, span_days=45, end=datetime.now(UTC) - timedelta(hours=1))
    yield from start(path)


@pytest.fixture(scope="session")
def shots() -> Path:
    """Where the pictures of this run stay for people to look at; git ignores it."""
    folder = Path(__file__).parent / "screenshots"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    options = Options()
    options.binary_location = "/usr/bin/chromium"
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    found = webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))
    yield found
    found.quit()


@pytest.fixture
def browser(driver: webdriver.Chrome, lively: str, shots: Path) -> Browser:
    return Browser(driver, lively, shots)
