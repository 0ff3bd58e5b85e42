"""Whoever uploads images asks first, with one line of shell, and never asks a tester.

The tester is Autocloud, whose messages are harvested; later it is another, which posts. The line stays.
"""

from __future__ import annotations

import shutil
import socket
from pathlib import Path

import pytest

from .conftest import House

SAMPLES = Path(__file__).parents[3] / "plugins" / "autocloud" / "tests" / "messages"
COMPOSE, NEXT = "Fedora-31-20191002.n.0", "Fedora-31-20191003.n.0"
UPLOAD = (
    "ci-results --config uploader.toml decide {image} --type compose --product-version fedora-31"
    " --context image_upload && echo uploaded"
)


def upload(house: House, image: str) -> tuple[int, bool]:
    """Run the uploader's one line; return its exit code, and whether the image was uploaded."""
    done = house.run(UPLOAD.format(image=image))
    return done.returncode, "uploaded" in done.stdout


@pytest.mark.demand("S-078", "S-079", "S-080", "S-081", "S-082")
def test_an_image_is_uploaded_when_it_is_good_whoever_tested_it(house: House) -> None:
    (house.folder / "messages").mkdir()
    for name in ("image-success.json", "image-failed.json"):
        shutil.copy(SAMPLES / name, house.folder / "messages")
    with socket.create_server(("127.0.0.1", 0)) as tester:
        tester.setblocking(False)
        config = (house.folder / "ci-results.toml").read_text() + (
            '[source.cloud]\ncollector = "autocloud"\npath = "messages"\n'
            f'[source.tester]\ncollector = "jenkins"\nurl = "http://127.0.0.1:{tester.getsockname()[1]}/"\n'
        )
        (house.folder / "uploader.toml").write_text(config)

        harvest = house.run("ci-results --config uploader.toml harvest cloud")
        assert harvest.returncode == 0, harvest.stderr
        assert upload(house, COMPOSE) == (1, False), "Autocloud says that one of two flavours failed"

        house.report("compose.autocloud", "PASSED", NEXT, type="compose", scenario="x86_64.qcow2")
        assert upload(house, NEXT) == (2, False), "the other tester has not done the other flavour"
        house.report("compose.autocloud", "PASSED", NEXT, type="compose", scenario="x86_64.vagrant-libvirt")
        assert upload(house, NEXT) == (0, True)

        with pytest.raises(BlockingIOError):
            tester.accept()
