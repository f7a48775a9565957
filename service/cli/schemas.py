"""``tolami schemas``: the published contract as files."""

from pathlib import Path

import click

from service.cli.output import example


@example("tolami schemas response\ntolami schemas --write docs/schemas")
@click.command()
@click.argument("name", required=False)
@click.option("--write", type=click.Path(path_type=Path, file_okay=False), help="Write all of them to this folder.")
def schemas(name: str | None, write: Path | None) -> None:
    """Show the JSON Schemas of requests, answers and discovery.

    NAME is a message; without it their names are listed. A running service has them under /schemas/.
    """
    from service.cdshooks.schemas import schemas as published

    texts = {message: as_text(schema) for message, schema in published().items()}
    if write is not None:
        write.mkdir(parents=True, exist_ok=True)
        for message, text in texts.items():
            (write / f"{message}.json").write_text(text, encoding="utf-8")
        click.echo(f"{len(texts)} schemas written to {write}.")
    elif name is None:
        click.echo("\n".join(texts))
    elif name in texts:
        click.echo(texts[name], nl=False)
    else:
        raise click.BadParameter(f"there is no message {name}; `tolami schemas` lists them.", param_hint="NAME")


def as_text(schema: dict[str, object]) -> str:
    """A schema as its file holds it."""
    import json

    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
