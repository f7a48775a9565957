"""What commands show on a terminal: cards as an EHR would show them, doses, differences, and tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from service.cdshooks.messages import own_members

if TYPE_CHECKING:
    from service.cdshooks.services import Service
    from service.cli.answers import Answer
    from service.cli.corpus_outcomes import Tally
    from service.cli.doses import OrderReading
    from service.engine.library import Library
    from service.engine.policy import Policy
    from service.terminology.load import SetSummary

COLOURS = {"info": "blue", "warning": "yellow", "critical": "red"}


def card_panel(card: dict[str, Any]) -> Panel:
    """One card in full."""
    from rich.markdown import Markdown  # slow to import, and only here

    indicator = str(card.get("indicator", ""))
    parts: list[RenderableType] = [Text(str(card.get("summary", "")), style="bold"), Text()]
    parts.append(Markdown(str(card.get("detail", ""))))
    for suggestion in card.get("suggestions", []):
        parts.append(Text(f"\n[ {suggestion['label']} ]", style="bold green"))
        parts += [Text(f"  {action['type']}: {action['description']}") for action in suggestion.get("actions", [])]
    if card.get("links"):
        parts.append(Text())
        parts += [Text(f"→ {link['label']}: {link['url']}", style="cyan") for link in card["links"]]
    if card.get("overrideReasons"):
        reasons = ", ".join(reason["code"] for reason in card["overrideReasons"])
        parts.append(Text(f"\nOverride: {reasons}", style="dim"))
    parts.append(Text(f"Source: {card.get('source', {}).get('label', '')}", style="dim"))
    about = own_members(card)
    rules = ", ".join(about.get("rules") or [about.get("rule", "")])
    return Panel(Group(*parts), title=f"{indicator} · {rules}", border_style=COLOURS.get(indicator, "white"), width=100)


def card_line(card: dict[str, Any]) -> Text:
    """One card on one line."""
    indicator = str(card.get("indicator", ""))
    line = Text(f"  {indicator:<8} ", style=COLOURS.get(indicator, "white"))
    line.append(str(card.get("summary", "")), style="default")
    return line


def answer_lines(answer: Answer, *, full: bool) -> list[RenderableType]:
    """An answer: its cards, or that there are none, or the error."""
    if answer.status != 200:  # the one status that carries cards
        issues = answer.body.get("issue", [])
        return [Text(f"  HTTP {answer.status}: {issue.get('diagnostics', '')}", style="magenta") for issue in issues]
    if not answer.cards:
        return [Text("  no cards", style="dim")]
    return [card_panel(card) if full else card_line(card) for card in answer.cards]


def corpus_table(tally: Tally, most_reasons: int) -> Table:
    """The outcomes of a corpus with their counts, each with its most frequent reasons."""
    table = Table("outcome", "files", "what or why", title="Outcomes")
    by_label: dict[str, list[tuple[str, int]]] = {}
    for (label, reason), number in tally.outcomes.most_common():
        by_label.setdefault(label, []).append((reason, number))
    for label, reasons in by_label.items():
        table.add_section()
        table.add_row(Text(label, style="bold"), str(sum(number for _, number in reasons)))
        for reason, number in reasons[:most_reasons]:
            if reason:
                table.add_row("", str(number), escape(reason))
        if len(reasons) > most_reasons:
            table.add_row("", str(sum(number for _, number in reasons[most_reasons:])), "other reasons")
    return table


def diff_lines(lines: Sequence[str]) -> list[Text]:
    """A diff, coloured."""
    styles = {"+": "green", "-": "red", "@": "cyan"}
    return [Text(f"    {line}", style=styles.get(line[:1], "dim")) for line in lines]


def dose_lines(reading: OrderReading) -> list[Text]:
    """The reading of one order: what it is, how it was recognised, its dose or why there is none."""
    head = Text(f"{reading.label}", style="bold")
    head.append(f"  {reading.reference}" + (f", {reading.status}" if reading.status else ""), style="dim")
    drug = f"{reading.drug} ({reading.evidence})" if reading.drug else f"not recognised ({reading.evidence})"
    lines = [head, Text(f"  drug  {drug}", style="default" if reading.drug else "dim")]
    lines.append(Text(f"  dose  {reading.dose}", style="green" if reading.computed else "yellow"))
    return lines + [Text(f"        {detail}", style="dim") for detail in reading.details]


def catalogue_tables(library: Library) -> list[Table]:
    """The cards with when they are raised, and the statements with their verdicts."""
    from service.engine.catalogue import in_order, statements

    cards = Table("rule", "card", "raised when", title="Cards", show_lines=True)
    for card in in_order(library):
        cards.add_row(card.rule, card.id, escape(card.raised_when))
    told = Table("no.", "the article says", "verdict", "card", title="Statements of the article", show_lines=True)
    for carried in statements(library):
        by = ", ".join(card.id for card in carried.cards) or f"none: {carried.statement.not_carried}"
        told.add_row(carried.statement.key, escape(carried.statement.says), carried.statement.verdict, escape(by))
    return [cards, told]


def burden_table(rows: Sequence[Mapping[str, Any]], size: int) -> Table:
    """How often each card is shown per 100 orders, and what else became of it."""
    titles = ("policy", "card", "per 100 orders", "95 % interval", "critical", "words", "merged", "quiet")
    table = Table(*titles, title=f"{size} orders of a synthetic population")
    for row in rows:
        span = f"{row['from']} to {row['to']}"
        rest = (row["critical"], row["words"], row["merged"], row["quiet"])
        table.add_row(escape(row["policy"]), row["card"], str(row["per_100_orders"]), span, *map(str, rest))
    return table


def review_table(found: Sequence[tuple[str, str, str]]) -> Table:
    """The cards that count as not reviewed, each with the reason."""
    table = Table("rule", "card", "open because", title="Not clinically reviewed")
    for card, rule, reason in found:
        table.add_row(rule, card, escape(reason))
    return table


def policy_table(policies: Mapping[str, Policy]) -> Table:
    """What hospitals have changed: for which client, why, who answers for it, and how long."""
    table = Table("client", "card", "change", "reason", "by", "from", "until", title="Policies", show_lines=True)
    for client, policy in policies.items():
        for change in policy:
            dates = (change.since.isoformat(), change.until.isoformat())
            words = (client or "all others", change.card, str(change), change.reason, change.by)
            table.add_row(*map(escape, words), *dates)
    return table


def services_table(services: Sequence[Service]) -> Table:
    """What discovery publishes."""
    table = Table("id", "title", "description", title="Services", show_lines=True)
    for service in services:
        table.add_row(service.id, escape(service.title), escape(service.description))
    return table


def terminology_table(sets: Sequence[SetSummary]) -> Table:
    """Counts of the terminology by kind."""
    table = Table("kind", "sets", "codes", "not checked anywhere", "names", title="Terminology")
    for kind in dict.fromkeys(summary.kind for summary in sets):
        of_kind = [summary for summary in sets if summary.kind == kind]
        table.add_row(
            kind,
            str(len(of_kind)),
            str(sum(summary.codes for summary in of_kind)),
            str(sum(summary.unchecked for summary in of_kind)),
            str(sum(summary.names for summary in of_kind)),
        )
    return table
