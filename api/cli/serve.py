"""``songlike serve``: the HTTP server."""

import logging
from typing import Annotated

import typer

from api.cli.address import check_free
from api.cli.exits import ExitCode
from api.cli.place import settings_of

_REQUEST_LINE = 65_536  # bytes of a request's line and headers: enough for some thousand excluded songs
_GRACE_S = 10  # seconds that running requests get when the server is stopped


def serve(
    context: typer.Context,
    host: Annotated[
        str | None,
        typer.Option(
            envvar="SONGLIKE_HOST",
            help="Address to listen on; 0.0.0.0 is every one.",
            show_default="127.0.0.1",
        ),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(
            envvar="SONGLIKE_PORT", min=0, max=65535, help="Port to listen on.", show_default="8000"
        ),
    ] = None,
) -> None:
    """Answer queries over HTTP until it is stopped; `/docs` describes the API.

    A newly published index is picked up without a restart. There is no access control: put a proxy in front of
    it when others can reach the address.
    """
    import uvicorn  # noqa: PLC0415 - the server alone needs it

    from api.http.app import create_app  # noqa: PLC0415 - the same
    from indexer.catalog import open_catalog  # noqa: PLC0415 - the same

    given = settings_of(context)
    settings = given.with_address(host, port)
    # What is wrong with the database is one sentence here, and would be a traceback in uvicorn.
    open_catalog(settings.database).close()
    check_free(settings.host, settings.port)
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s:     %(message)s")
    try:
        uvicorn.run(
            create_app(settings),
            host=settings.host,
            port=settings.port,
            http="h11",
            h11_max_incomplete_event_size=_REQUEST_LINE,
            timeout_graceful_shutdown=_GRACE_S,
            server_header=False,
        )
    except (
        SystemExit
    ) as error:  # how uvicorn ends when it cannot listen; its code 3 means something else here
        raise typer.Exit(ExitCode.FAILED if error.code else ExitCode.DONE) from error
