"""``tolami services`` and ``tolami schemas``: what this service publishes for programs."""

import json
from pathlib import Path

import click
import msgspec

from service.cdshooks.schemas import schemas as schemas_of
from service.cdshooks.services import Discovery
from service.cdshooks.services import services as published
from service.cli.output import as_json, example, library, print_json, print_table


@click.command(
    help="Show the services that discovery publishes.",
    epilog=example("tolami services\ntolami services --format json      as discovery answers"),
)
@as_json
def services(form: str) -> None:
    cards = library()
    entries = published(cards.plan.services, cards.terminology.loinc)
    if form == "json":
        print_json(msgspec.to_builtins(Discovery(entries)))
        return
    rows = [(service.id, service.title, service.description) for service in entries]
    print_table("Services", ("id", "title", "description"), rows, lines=True)
    click.echo("Each id is also the hook's name. Prefetch of every service:")
    for key, template in entries[0].prefetch.items():
        click.echo(f"{key}: {template}")


@click.command(
    help="""Show the JSON Schemas of requests, answers and discovery.

    NAME is a message; without it the names are listed. A running service has them under /schemas/.
    """,
    epilog=example("tolami schemas response\ntolami schemas --write docs/schemas"),
)
@click.argument("name", required=False)
@click.option("--write", type=click.Path(path_type=Path, file_okay=False), help="Write all of them to this folder.")
def schemas(name: str | None, write: Path | None) -> None:
    texts = {message: json.dumps(schema, indent=2, ensure_ascii=False) for message, schema in schemas_of().items()}
    if write is not None:
        write.mkdir(parents=True, exist_ok=True)
        for message, text in texts.items():
            (write / f"{message}.json").write_text(f"{text}\n", encoding="utf-8")
        click.echo(f"{len(texts)} schemas written to {write}.")
    elif name is None or name in texts:
        click.echo(texts[name] if name else "\n".join(texts))
    else:
        raise click.BadParameter(f"there is no message {name}; `tolami schemas` lists them.", param_hint="NAME")
