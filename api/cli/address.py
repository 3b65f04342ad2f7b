"""The address to serve on, looked at before a server is started there."""

import socket

from engine.errors import InputError


def check_free(host: str, port: int) -> None:
    """Make sure that a server can listen there: it would not answer, or another one would in its place.

    Raises
    ------
    InputError
        When the host is unknown or not ours, or the port is taken.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.create_server((host, port), family=family).close()
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(
            f"port {port} of {host} cannot be used: {reason}; choose another by --port or --host"
        ) from error
