"""Exit codes of the whole command line, and the group that holds every command to them.

0 done · 1 no (nothing of that name, a check that failed, not allowed, decided already) · 2 partly done ·
3 error of the world or the configuration · 4 no policy · 64 usage · 130 interrupted.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import click

from ..errors import CiResultsError, ConflictError, ForbiddenError, NotFoundError

DONE, NO, PARTLY, ERROR, NO_POLICY, USAGE, INTERRUPTED = 0, 1, 2, 3, 4, 64, 130


class Root(click.Group):
    """The outermost group: every error becomes one line and its exit code."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        """Run as click does, with our exit codes."""
        if not standalone_mode:
            return super().main(args, prog_name, complete_var, standalone_mode=False, **extra)
        try:
            code = super().main(args, prog_name, complete_var, standalone_mode=False, **extra)
        except click.UsageError as err:
            err.show()
            sys.exit(USAGE)
        except click.Abort:
            click.secho("interrupted", err=True)
            sys.exit(INTERRUPTED)
        except click.ClickException as err:
            err.show()
            sys.exit(ERROR)
        except (NotFoundError, ForbiddenError, ConflictError) as err:
            sys.exit(_told(err, NO))
        except CiResultsError as err:
            sys.exit(_told(err, ERROR))
        sys.exit(code if isinstance(code, int) else DONE)


def _told(err: CiResultsError, code: int) -> int:
    click.echo(click.style("error: ", fg="red") + str(err), err=True)
    return code
