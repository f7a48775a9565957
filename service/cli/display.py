"""What commands show on a terminal: cards as an EHR would show them, doses and differences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.text import Text

from service.cdshooks.messages import own_members

if TYPE_CHECKING:
    from service.cli.answers import Answer
    from service.cli.doses import OrderReading

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
