"""Value sets and their expansions, asked for and shown on a terminal, for ``tolami check --terminology``."""

import sys
from collections.abc import Iterator
from typing import Any

from service.cli.output import FAULTY, print_table, standard_output
from service.dates import utc_now
from service.engine.library import Library
from service.settings import Settings
from service.startup import Start, expand, used
from service.terminology.expand import Found, Source
from service.terminology.query import SNOMED

REFUSED_SHOWN = 20
FROM_EXPANSION = ("conditions", "drugs")


def check_terminology(library: Library, settings: Settings) -> Library:
    """Asks for every value set and shows what each holds and where it comes from.

    Returns the library as it is served then; the command ends when the server did not answer as it should.
    """
    console, server = standard_output(), settings.terminology_server
    start = expand(library, settings, utc_now, thorough=True) if server else None
    headings = ("kind", "set", "embedded", "added", "source", "date", "SNOMED CT")
    print_table("Value sets", headings, sets_rows(library, start, server))
    if start is None:
        console.print("No terminology server is configured (TOLAMI_TERMINOLOGY_SERVER): the embedded lists are used.")
        return library
    for line, style in _expansion(start):
        console.print(line, style=style, soft_wrap=True)
    if start.expansions.faults or start.expansions.not_kept:
        sys.exit(FAULTY)
    return start.expanded.library


def sets_rows(library: Library, start: Start | None, server: str) -> Iterator[tuple[Any, ...]]:
    """Every value set: its embedded codes by code system, what an expansion adds, from where, and how old that is."""
    found = {f.query.id: f for f in start.expansions.found} if start is not None else {}
    in_force = {f.query.id for f in start.expansions.whole} if start is not None else set()
    added = start.expanded.added if start is not None else {}
    for summary in library.terminology.sets:
        if summary.kind != "classes":
            codes = ", ".join(f"{name} {number}" for name, number in summary.systems.items())
            origin = _cells(found.get(summary.id) if summary.id in in_force else None, server)
            yield summary.kind, summary.id, codes, added.get(summary.id, 0), *origin


def _cells(found: Found | None, server: str) -> tuple[str, str, str]:
    """Source, date and version of an answer."""
    if found is None or found.answer is None:
        return Source.EMBEDDED.value, "", ""
    source = server if found.source is Source.SERVER else Source.CACHE.value
    if not found.answer.members:
        source += " (not in this edition)"
    version = found.answer.version.removeprefix(f"{SNOMED}/")
    return source, found.answer.on.date().isoformat(), version or "not said"


def _expansion(start: Start) -> Iterator[tuple[str, str]]:
    """What was wrong and what to do about it, which codes were refused, and what serves now, each with its style."""
    for f in start.expansions.faults:
        yield f"{f.query.kind}/{f.query.id}: {f.fault}", "red"
    if start.expansions.not_kept:
        advice = "Set TOLAMI_TERMINOLOGY_CACHE to a folder that can be written to."
        yield f"The expansions cannot be kept ({start.expansions.not_kept}). {advice}", "red"
    refused = start.expanded.refused
    for refusal in refused[:REFUSED_SHOWN]:
        yield f"Refused: {refusal.code}, claimed by {', '.join(refusal.claimed_by)}", "yellow"
    if len(refused) > REFUSED_SHOWN:
        yield f"… and {len(refused) - REFUSED_SHOWN} more codes refused", "yellow"
    for kind in FROM_EXPANSION:
        yield f"Descendants of {kind}: {used(start.expansions.whole, kind)}", ""
