"""The demo: two Jenkins masters on loopback, harvested, with reports beside them, in a browser.

    python examples/demo/run.py            serve it until Ctrl-C
    python examples/demo/run.py --check    do all of it, probe the pages, say the counts, end

Nothing leaves this machine, and everything it writes is in a temporary folder that goes with it.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread
from typing import IO, NoReturn

import click
from invented import SILENT, write_master
from probe import ProbeError, probe

HERE = Path(__file__).parent
RECORDED = HERE.parent / "masters" / "master.ndjson.xz"
REPORTS = HERE / "reports"
ITEM = "bash-5.2.37-1.fc42"
CONFIGURATION = """\
# Written by the demo: two masters that have nothing in common, each in fewer than 20 lines.
store = "sqlite:results.db"

[report]
namespace = "local"

{recorded}

{invented}
"""


@dataclass(frozen=True)
class Demo:
    """What runs: the folder with configuration and store."""

    folder: Path

    def command(self, *words: str) -> list[str]:
        """Return a call of ci-results with the demo's configuration."""
        return [sys.executable, "-m", "ci_results", "--config", str(self.folder / "ci-results.toml"), *words]

    def run(self, *words: str, may_end: tuple[int, ...] = (0,)) -> None:
        """Say a command as a user would type it, and run it. Raises ProbeError where it ends otherwise."""
        say(f"$ ci-results {' '.join(words)}")
        code = subprocess.run(self.command(*words), check=False).returncode
        if code not in may_end:
            raise ProbeError(f"ci-results {words[0]} ended with {code}")


def main() -> int:
    """Run the demo; return the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="do all of it, probe the pages, and end")
    parser.add_argument(
        "--port", type=int, default=8001, help="of the view; the next free one where it is busy"
    )
    arguments = parser.parse_args()
    try:
        with ExitStack() as held:
            folder = Path(held.enter_context(tempfile.TemporaryDirectory(prefix="ci-results-demo-")))
            demo = fill(Demo(folder), held)
            address = held.enter_context(serving(demo, 0 if arguments.check else arguments.port))
            if arguments.check:
                for line in probe(address, folder / "results.db", ITEM):
                    click.echo(line)
            else:
                tour(address, folder)
    except ProbeError as err:
        say(f"the demo failed: {err}")
        return 1
    except KeyboardInterrupt:
        return 130 if arguments.check else 0
    return 0


def fill(demo: Demo, held: ExitStack) -> Demo:
    """Start the masters, write the configuration, harvest, and import the reports."""
    from ci_results_jenkins.recorded_master import RecordedMaster

    invented = demo.folder / "invented.ndjson.xz"
    write_master(invented, datetime.now(UTC))
    urls = {}
    for name, recording in (("recorded", RECORDED), ("invented", invented)):
        master = held.enter_context(RecordedMaster(recording).serve())
        urls[name] = master.url
        say(f"the {name} Jenkins master answers at {master.url}")
    tables = {
        name: (HERE / f"{name}.toml").read_text(encoding="utf-8").strip().replace("URL", url)
        for name, url in urls.items()
    }
    (demo.folder / "ci-results.toml").write_text(CONFIGURATION.format(**tables), encoding="utf-8")
    demo.run("harvest")
    demo.run("harvest")  # a second one finds nothing new
    reports = [str(path) for path in sorted(REPORTS.glob("*.xml"))]
    demo.run("report", "--item", ITEM, "--arch", "x86_64", *reports)
    demo.run("coverage")
    return demo


@contextmanager
def serving(demo: Demo, port: int) -> Iterator[str]:
    """Serve the demo's store in a process of its own; gives its address."""
    process = subprocess.Popen(demo.command("serve", "--port", str(port)), stderr=subprocess.PIPE, text=True)
    try:
        yield announced(process)
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(10)
        process.kill()
        process.wait()


def announced(process: subprocess.Popen[str]) -> str:
    """Wait until the server says where it is, then pass on what else it says. Raises ProbeError."""
    said = []
    stream = process.stderr
    for line in stream or ():
        said.append(line.strip())
        for word in line.split():
            if word.startswith("http://"):
                Thread(target=pass_on, args=(stream,), daemon=True).start()
                return word.rstrip("/")
    raise ProbeError(f"the server did not start: {' '.join(said)}")


def pass_on(stream: IO[str] | None) -> None:
    """Show what the server says; a pipe that nobody reads would stop it some day."""
    with suppress(ValueError):  # closed at the end
        for line in stream or ():
            say(line.rstrip())


def tour(address: str, folder: Path) -> NoReturn:
    """Say what there is to see, and wait for Ctrl-C."""
    say(
        f"""
Open {address}/ and look around:

 1. {address}/                      where everything begins, and how fresh it is
 2. "Which testcases are flaky?"    net.bonding changes its mind
 3. "What failed since?"            nvme.hotplug fails since three builds
 4. {address}/coverage              {SILENT} runs and never publishes
 5. {address}/quarantine            a build that nobody can name, and a report broken off
 6. {address}/browse/               all of it in Datasette, as SQL, CSV or JSON

In another terminal: ci-results --config {folder}/ci-results.toml result list --latest --outcome FAILED
Ctrl-C ends the demo and removes {folder}
"""
    )
    while True:
        time.sleep(3600)


def say(text: str) -> None:
    """Tell the person at the terminal."""
    click.echo(text, err=True)


if __name__ == "__main__":
    sys.exit(main())
