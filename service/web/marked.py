"""The line of a request that an error is about, found by the path or the place that the error names."""

import json
import re
import uuid
from dataclasses import dataclass

from service.web.ehr import Json

AROUND = 8
"""Lines that are shown before and after the one that an error is about."""
MOST_OF_A_LINE = 200
"""Characters of a line that are shown: a request may be a single line."""


@dataclass(frozen=True, slots=True)
class Marked:
    """The line of a request that an error is about, with the lines around it. ``number`` is 1-based."""

    before: str
    line: str
    after: str
    number: int


def marked(text: str, body: Json | None, expression: str) -> Marked | None:
    """The request around the line that an error is about."""
    if body is None:
        try:
            json.loads(text)
        except json.JSONDecodeError as error:
            return _line(text, error.pos)
        except (ValueError, RecursionError):
            pass
        return None
    pretty, mark = json.dumps(body, indent=2, ensure_ascii=False), str(uuid.uuid4())
    steps = re.findall(r"[^$.\[\]]+", expression)
    while steps:
        holder = copy = json.loads(pretty)
        try:
            for step in steps:
                place = int(step) if isinstance(holder, list) else step
                inside, holder = holder, holder[place]
        except (LookupError, TypeError, ValueError):
            steps.pop()
            continue
        inside[place] = mark
        return _line(pretty, json.dumps(copy, indent=2, ensure_ascii=False).find(mark))
    return None


def _line(text: str, position: int) -> Marked:
    lines, at = text.split("\n"), text.count("\n", 0, position)
    before, after = (
        [line[:MOST_OF_A_LINE] for line in some] for some in (lines[max(0, at - AROUND) : at], lines[at + 1 :][:AROUND])
    )
    start = max(0, position - text.rfind("\n", 0, position) - MOST_OF_A_LINE)
    marked = lines[at][start : start + 2 * MOST_OF_A_LINE]
    return Marked(
        "".join(f"{line}\n" for line in before), marked or " ", "".join(f"\n{line}" for line in after), at + 1
    )
