"""Build an environment for each real client of our peers, and for tools that write reports, by pip.

`python environments.py` builds all of them.

Each in one of its own, as they contradict each other. One that is there already is left as it is.
"""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

FOLDER = Path(__file__).parents[2] / ".clients"
CLIENTS = {
    "resultsdb-api": ["resultsdb-api==2.1.6"],
    "resultsdb-conventions": ["resultsdb-conventions[fedora]==3.0.3"],
    "avocado": ["avocado-framework-plugin-resultsdb==113.0"],
    "autocloudreporter": ["autocloudreporter==1.0.4", "resultsdb-conventions<3"],
    "waiverdb": ["click>=8,<9", "requests>=2.31", "openidc-client==0.6.0"],
}
"""What is installed in each: the client itself, and what it needs besides on a CPython of today."""

ALONE = {"waiverdb": ["waiverdb==1.4.0"]}
"""What is installed without its own list of needs, which is that of a server too."""

TOOLS = {
    "tmt": ["tmt==1.78.0"],
    "moto_server": ["moto[s3,server]==5.2.5"],
    "jenkins-jobs": ["jenkins-job-builder==6.5.0", "setuptools<81"],
}
"""Tools that are run, and which what we install ourselves contradicts."""

BUSES = {"fedora-messaging": ["fedora-messaging==3.9.1"]}
"""What reads and writes buses. It is run, never imported or copied from: its licence is the GPL."""
ALL = {**CLIENTS, **TOOLS, **BUSES}


def python(client: str) -> Path:
    """Return the interpreter of a client's environment."""
    return FOLDER / client / "bin" / "python"


def tool(name: str) -> Path | None:
    """Return the program of a tool's environment; None where there is none."""
    program = FOLDER / name / "bin" / name
    return program if program.is_file() else None


def built() -> bool:
    """Say whether all environments are there, as this list wants them."""
    return all(_mark(client).is_file() and _mark(client).read_text() == _wanted(client) for client in CLIENTS)


def build(client: str) -> None:
    """Make the environment of a client anew where it is not as this list wants it."""
    if _mark(client).is_file() and _mark(client).read_text() == _wanted(client):
        return
    venv.create(FOLDER / client, with_pip=True, clear=True)
    words = [python(client), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*words, *ALL[client]], check=True)
    if client in ALONE:
        subprocess.run([*words, "--no-deps", *ALONE[client]], check=True)
    _mark(client).write_text(_wanted(client))


def _mark(client: str) -> Path:
    return FOLDER / client / "installed"


def _wanted(client: str) -> str:
    return f"{sys.version_info[:2]} {' '.join([*ALL[client], *ALONE.get(client, [])])}\n"


if __name__ == "__main__":
    for name in ALL:
        build(name)
