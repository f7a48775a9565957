"""``tolami serve`` and ``tolami demo``: the service, alone or beside synthetic patients for the public Sandbox."""

import os

import click

from service import server
from service.cli.output import Faulty, example, library
from service.engine.editions import policies_of
from service.engine.library import Library
from service.files import FaultyLibrary
from service.settings import Settings, SettingsError, load_settings
from service.trust.clients import FaultyTrustFile, clients_of
from service.web.auth import check_access
from service.web.demo import ADDRESS, introduced


@click.command(
    help="Serve the CDS Hooks endpoints.",
    epilog=example("tolami serve --port 8001\ncurl -s http://127.0.0.1:8001/cds-services"),
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to serve on.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535), help="Port to serve on.")
@click.option("--workers", default=2, show_default=True, type=click.IntRange(1), help="Number of processes.")
@click.option("--threads", default=8, show_default=True, type=click.IntRange(1), help="Threads per process.")
@click.option("--reload", is_flag=True, help="Restart when code, a card or a request is saved; for authors.")
@click.option(
    "--without-authentication",
    is_flag=True,
    help="Serve on an address that others can reach, although callers are not authenticated.",
)
def serve(host: str, port: int, workers: int, threads: int, reload: bool, without_authentication: bool) -> None:
    settings, cards = _ready(host, port, without_authentication=without_authentication)
    base = settings.public_url
    sample, hook = cards.sample, (cards.sample_request or {}).get("hook")

    def ready() -> None:
        click.echo(f"Discovery: {base}/cds-services")
        if settings.auth == "required":
            click.echo("Every call needs a token. Who may call: tolami clients check")
        else:
            if sample is not None:
                click.echo("Try it:    curl -s -H 'Content-Type: application/json' \\")
                click.echo(f"             -d @{os.path.relpath(sample)} {base}/cds-services/{hook}")
            click.echo(f"Browser:   {base}/")
        click.echo("Not clinically reviewed. Stop with Ctrl-C.")

    server.serve(settings, cards, host, port, workers, threads, reload=reload, ready=ready)


@click.command(
    help="""Serve with synthetic patients, and print links to the Sandbox.

    The patients are served as a small FHIR R4 server: prescribing for them in the Sandbox shows cards.
    """,
    epilog=example("tolami demo\ntolami demo --port 8001"),
)
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535), help="Port to serve on.")
def demo(port: int) -> None:
    host = "127.0.0.1"
    settings, cards = _ready(host, port, without_authentication=False)
    settings = for_demo(settings)
    if settings.auth == "required":
        raise Faulty("tolami demo is for trying the service out and cannot ask for tokens: unset TOLAMI_AUTH.")
    patients = cards.patients
    if patients is None:
        raise Faulty("There are no synthetic patients here: the guideline's folder of fixtures has no folder 'demo'.")
    base = settings.public_url
    drug = cards.terminology.titles[cards.plan.subjects[0]]

    def ready() -> None:
        click.echo(f"The service:        {base}/")
        click.echo(f"Synthetic patients: {base}{ADDRESS}")
        click.echo(f"Open one in the public Sandbox and order {drug} (also linked on the page above):")
        for one in introduced(patients, base):
            takes = f"takes {', '.join(one.drugs)}" if one.drugs else "takes nothing"
            click.echo(f"  {one.name}, born {one.born}, {takes}\n    {one.link}")
        click.echo("Not clinically reviewed. Stop with Ctrl-C.")

    server.serve(settings, cards, host, port, workers=2, threads=4, reload=False, ready=ready)


def for_demo(settings: Settings) -> Settings:
    """The settings of a demonstration: with patients, and with every card however often somebody has answered it."""
    return settings.model_copy(update={"demo": True, "quiet_days": 0})


def _ready(host: str, port: int, *, without_authentication: bool) -> tuple[Settings, Library]:
    """The settings to serve with, their address filled in, and the cards; the command ends when they do not serve."""
    try:
        settings = load_settings()
        cards = library()
        check_access(settings)
        policies_of(settings.policy, clients_of(settings.trust_file), cards)
        server.check_address(
            host, port, needs_token=settings.auth == "required", without_authentication=without_authentication
        )
    except (SettingsError, FaultyTrustFile, server.AddressNotUsable) as error:
        raise Faulty(f"tolami cannot start: {error}") from None
    except FaultyLibrary as faulty:
        raise Faulty(f"tolami cannot start: the policy cannot be used:\n{faulty}") from None
    base = settings.public_url.rstrip("/") or f"http://{f'[{host}]' if ':' in host else host}:{port}"
    return settings.model_copy(update={"public_url": base}), cards
