"""The library as the service starts with it: its terminology expanded, when a terminology server is configured.

The start does not depend on that server. Its kept answers serve when it does not answer, else the embedded lists.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from service.engine.expanded import Expanded, expanded
from service.engine.library import Library
from service.engine.loading import load
from service.settings import Settings
from service.terminology.client import TerminologyServer, open_session
from service.terminology.expand import ExpansionCache, Expansions, Found, Lookup, Source

NAMED = 20
"""Refused codes that a log line names at most."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Start:
    """The expanded library, and what became of each query."""

    expanded: Expanded
    expansions: Expansions


def start_library(settings: Settings, now: Callable[[], datetime], library: Library | None = None) -> Library:
    """The library to serve with. Raises FaultyLibrary for our own files, nothing because of the server.

    ``library`` is that of the folder where it has just been loaded.
    """
    library = library or load()
    if not settings.terminology_server:
        return library
    log.info("expanding terminology", server=settings.terminology_server, seconds_at_most=settings.terminology_deadline)
    start = expand(library, settings, now)
    _log(start, settings.terminology_server)
    return start.expanded.library


def expand(library: Library, settings: Settings, now: Callable[[], datetime], *, thorough: bool = False) -> Start:
    """The library with the expansions of the configured server.

    ``thorough`` asks for every set, whatever is kept, and goes on after the fault of one.
    """
    base = settings.terminology_server
    with open_session(base) as session:
        lookup = Lookup(
            TerminologyServer(base, session),
            ExpansionCache(settings.terminology_cache, base),
            timedelta(days=settings.terminology_max_age),
            now,
            thorough,
        )
        expansions = lookup.run(library.terminology.queries, settings.terminology_deadline)
    return Start(expanded(library, expansions.whole), expansions)


def used(found: Sequence[Found], kind: str) -> str:
    """Where the descendants of a kind come from, in words, with the dates of kept answers."""
    of_kind = [f for f in found if f.query.kind == kind and f.answer is not None]
    if not of_kind:
        return "embedded lists"
    days = sorted({f.answer.on.date().isoformat() for f in of_kind if f.source is Source.CACHE and f.answer})
    if not days:
        return "server"
    span = days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}"
    return f"{'cache' if all(f.source is Source.CACHE for f in of_kind) else 'server and cache'} of {span}"


def _log(start: Start, server: str) -> None:
    kinds = dict.fromkeys(f.query.kind for f in start.expansions.found)
    sources = {kind: used(start.expansions.whole, kind) for kind in kinds}
    facts = {
        "server": server,
        **sources,
        "added": sum(start.expanded.added.values()),
        "snomed": start.expanded.release,
        "guidance": start.expanded.library.version,
    }
    faults = start.expansions.faults
    if faults:
        fault = faults[0]
        log.warning("terminology server not used as asked", at=fault.query.id, reason=str(fault.fault), **facts)
    else:
        log.info("terminology expanded", **facts)
    if start.expansions.not_kept:
        log.warning("expansions not kept", reason=start.expansions.not_kept, advice="Set TOLAMI_TERMINOLOGY_CACHE.")
    if refused := start.expanded.refused:
        codes = {refusal.code: refusal.claimed_by for refusal in refused[:NAMED]}
        log.warning("codes refused that contradictory sets claim", number=len(refused), codes=codes)
