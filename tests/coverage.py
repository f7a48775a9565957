"""What the tests did not reach of the service, from the file that slipcover wrote; exit code 1 below ``LEAST``.

Not slipcover's own ``--fail-under``: with it, the table is without what the workers of xdist traced.
"""

import json
import sys
from pathlib import Path

from slipcover import print_coverage

LEAST = 97.0
"""Per cent of lines and branches."""


def main(file: str) -> bool:
    """Prints the table; True when enough was reached."""
    found = json.loads(Path(file).read_text(encoding="utf-8"))
    print_coverage(found, missing_width=60, skip_covered=True)
    reached: float = found["summary"]["percent_covered"]
    print(f"Coverage of lines and branches: {reached:.2f} % (at least {LEAST} %)")
    return reached >= LEAST


if __name__ == "__main__":
    sys.exit(not main(sys.argv[1]))
