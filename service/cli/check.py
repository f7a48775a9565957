"""``tolami check``: cards, sources, terminology, settings and clients, before they are served."""

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from service.cli.output import as_json, example, library, print_json, print_table, standard_output, stop

if TYPE_CHECKING:
    from service.engine.library import Library
    from service.engine.policy import Policy
    from service.settings import Settings


@example(
    "tolami check && echo ready\n"
    "tolami check --terminology      also asks the terminology server, set by set\n"
    "tolami check --watch            again on each save, with the address of the preview"
)
@click.command(short_help="Check cards, settings and clients.")
@click.option("--terminology", is_flag=True, help="Show every value set, and ask the terminology server for each.")
@click.option("--watch", is_flag=True, help="Check again whenever a card or a fixture is saved, until Ctrl-C.")
@click.option(
    "--url",
    default="http://127.0.0.1:8000",
    show_default=True,
    help="With --watch: the running service that shows the preview.",
)
@as_json
def check(terminology: bool, watch: bool, url: str, form: str) -> None:
    """Check cards, sources, terminology, order templates, settings and clients.

    In the project folder the cards of every fixture are rendered, too: a template must not fail, a text must not be
    too long. Every fault is named with file, line and reason; the exit code is then 1. Card files that passed are
    remembered in $XDG_CACHE_HOME/tolami.
    """
    if watch:
        from service.cli.watch import check_on_save

        check_on_save(url)
    cards = library()
    settings, problems = _settings()
    policies, faults = _policies(settings, cards)
    problems += faults
    problems += _cards_faults(cards, quick=bool(problems))
    if form == "json":
        print_json({"guidance": cards.version, "faults": problems})
        sys.exit(1 if problems else 0)
    if settings is None or problems:
        stop("\n".join(problems), 1)
    _show(cards, policies)
    if terminology:
        from service.cli.terminology import check_terminology
        from service.dates import utc_now

        cards, whole = check_terminology(standard_output(), cards, settings, utc_now)
        if not whole:
            sys.exit(1)
    click.echo(
        f"Guidance {cards.version}: {len(cards.cards)} cards,"
        f" {len(cards.sources)} sources, {len(cards.orders)} order templates. Settings are valid."
    )


def _show(cards: "Library", policies: Mapping[str, "Policy"]) -> None:
    """Counts of the terminology by kind, and what hospitals have changed: for whom, why, who answers for it."""
    kinds = {summary.kind: [0, 0, 0, 0] for summary in cards.terminology.sets}
    for summary in cards.terminology.sets:
        added = (1, summary.codes, summary.unchecked, summary.names)
        kinds[summary.kind] = [count + more for count, more in zip(kinds[summary.kind], added, strict=True)]
    counted = ("kind", "sets", "codes", "not checked anywhere", "names")
    print_table("Terminology", counted, ((kind, *counts) for kind, counts in kinds.items()))
    if policies:
        changes = [(client or "all others", change) for client, policy in policies.items() for change in policy]
        headings = ("client", "card", "change", "reason", "by", "from", "until")
        rows = ((client, c.card, c, c.reason, c.by, c.since, c.until) for client, c in changes)
        print_table("Policies", headings, rows, lines=True)


def _settings() -> tuple["Settings | None", list[str]]:
    """The settings, with what keeps the service from starting with them."""
    from service.settings import SettingsError, load_settings
    from service.trust.clients import FaultyTrustFile, clients_of

    settings = None
    try:
        settings = load_settings()
        clients_of(settings.trust_file)
        if settings.auth == "required":
            from service.dates import utc_now
            from service.web.access import check_access

            check_access(settings, utc_now)
    except (SettingsError, FaultyTrustFile) as error:
        return settings, [f"settings: {error}"]
    return settings, []


def _policies(settings: "Settings | None", cards: "Library") -> tuple[dict[str, "Policy"], list[str]]:
    """What hospitals have changed, with what is wrong in their files."""
    from service.engine.editions import policies_of
    from service.files import FaultyLibrary
    from service.trust.clients import FaultyTrustFile, clients_of

    try:
        return policies_of(settings.policy, clients_of(settings.trust_file), cards) if settings else {}, []
    except (FaultyLibrary, FaultyTrustFile) as error:
        return {}, [f"policy: {fault}" for fault in str(error).splitlines()]


def _cards_faults(cards: "Library", *, quick: bool) -> list[str]:
    """What is wrong with the cards; with their examples only when nothing else is, and not if it has to be quick."""
    from service.cli.answers import find
    from service.cli.examples import Examples, once_each
    from service.cli.replay import FIXTURES
    from service.engine.check import deep_faults, template_faults

    examples = Examples(cards)
    found = [*template_faults(examples.answering.renderer), *deep_faults(examples.answering.guideline)]
    if found or quick or not FIXTURES.exists():
        return list(map(str, found))
    return list(once_each(fault for file in find([FIXTURES]) for fault in examples.faults(file)))
