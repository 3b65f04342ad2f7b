"""The faces of songlike: HTTP (``api.http``) and the command line (``api.cli``)."""
