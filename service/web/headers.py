"""Headers that every answer carries: nothing is guessed, embedded, referred to or kept by a cache."""

from flask import Flask, Response

ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'",
    "Cache-Control": "no-store",
}
"""What an answer says that does not say otherwise itself. Answers hold what the request held: they are not kept."""


def register_headers(app: Flask) -> None:
    """Registers with the application."""

    @app.after_request
    def complete(response: Response) -> Response:
        # Looked through once: each question to the headers walks all of them and raises an exception inside.
        given = {name.lower() for name, _ in response.headers}
        response.headers.extend((name, value) for name, value in ALWAYS.items() if name.lower() not in given)
        return response
