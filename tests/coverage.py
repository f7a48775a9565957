"""Runs the tests and says what they did not reach of the service; exit code 1 below ``LEAST``.

Only the workers of xdist trace, so only they pay for it: run as ``python -m slipcover``, the process that hands out the
tests would be traced, too. slipcover's plugin takes its settings from the environment and puts the workers' files
together.
"""

import json
import os
import shutil
import sys
from pathlib import Path

import pytest
from slipcover import print_coverage
from slipcover.slipcover import DEFAULT_EXCLUDE

LEAST = 97.0
"""Per cent of lines and branches."""

SETTINGS = {
    "SLIPCOVER_ENABLED": "1",
    "SLIPCOVER_BRANCH": "1",
    "SLIPCOVER_SOURCE": "service",
    "SLIPCOVER_EXCLUDE_LINES": "\n".join([*DEFAULT_EXCLUDE, "assert_never"]),
}


def reached(file: Path) -> bool:
    """Prints the table of what slipcover found; True when enough was reached."""
    found = json.loads(file.read_text(encoding="utf-8"))
    print_coverage(found, missing_width=60, skip_covered=True)
    percent: float = found["summary"]["percent_covered"]
    print(f"Coverage of lines and branches: {percent:.2f} % (at least {LEAST} %)")
    return percent >= LEAST


def main(arguments: list[str]) -> bool:
    """Runs pytest with these arguments, those of xdist among them; True when all passed and enough was reached."""
    os.environ.update(SETTINGS)
    status = pytest.main(arguments)
    folder = Path(os.environ["SLIPCOVER_COVERAGE_DIR"])
    enough = reached(folder / "merged.json")
    shutil.rmtree(folder)
    return status is pytest.ExitCode.OK and enough


if __name__ == "__main__":
    sys.exit(not main(sys.argv[1:]))
