"""The API's own description: OpenAPI with the filter parameters of the published index, and its page.

The label set is data, so the parameters of ``GET /similar`` are known only once an index is open. Without
one, the description lists the default labels.
"""

import copy
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.openapi.utils import get_openapi
from fastapi.responses import HTMLResponse, JSONResponse

from api.http.parameters import MAX_TEXT, MAX_VALUES
from api.http.problems import Problem
from api.http.resources import MaybeIndexDep
from api.http.similar import PATH
from engine.vocabulary import DEFAULT_LABELS, LabelSchema
from indexer.search.filters import Parameter, filter_parameters

OPENAPI_PATH = "/openapi.json"
TITLE = "songlike"
DESCRIPTION = (
    "Which songs are like this one, and also fit these terms? Errors are problem details (RFC 9457). "
    "A new index is picked up without a restart; the filters listed here are those of the published one."
)
_SCHEMAS: dict[str, dict[str, Any]] = {
    "number": {"type": "number"},
    "percentile": {"type": "number", "minimum": 0, "maximum": 100},
    "year": {"type": "integer"},
    "flag": {"type": "string", "enum": ["true", "false"]},
    "text": {
        "type": "array",
        "items": {"type": "string", "minLength": 1, "maxLength": MAX_TEXT},
        "maxItems": MAX_VALUES,
    },
}


class Reference:
    """OpenAPI description of an application, made once per index version."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app
        self._made: tuple[str | None, dict[str, Any]] | None = None

    def describe(self, index_version: str | None, labels: LabelSchema) -> dict[str, Any]:
        """OpenAPI 3.1 under these labels; not to be changed by the caller."""
        made = self._made
        if made is None or made[0] != index_version:
            made = self._made = index_version, openapi_of(self._app, labels)
        return made[1]


def openapi_of(app: FastAPI, labels: LabelSchema) -> dict[str, Any]:
    """OpenAPI 3.1 of the routes, with a parameter for each filter that these labels allow."""
    spec = get_openapi(title=TITLE, version=version("songlike"), description=DESCRIPTION, routes=app.routes)
    schema = copy.deepcopy(Problem.model_json_schema(ref_template="#/components/schemas/{model}"))
    parts = spec.setdefault("components", {}).setdefault("schemas", {})
    parts.update(schema.pop("$defs", {}))
    parts["Problem"] = schema
    spec["paths"][PATH]["get"]["parameters"] += [
        _described(parameter) for parameter in filter_parameters(labels).values()
    ]
    return spec


def add_reference(app: FastAPI) -> None:
    """Give an application its ``/openapi.json``, ``/docs`` and a signpost at the root."""
    reference = Reference(app)

    @app.get(OPENAPI_PATH, include_in_schema=False)
    def openapi(index: MaybeIndexDep) -> JSONResponse:
        if index is None:
            return JSONResponse(reference.describe(None, DEFAULT_LABELS))
        return JSONResponse(reference.describe(index.info.version, index.info.labels))

    @app.get("/docs", include_in_schema=False)
    async def docs() -> HTMLResponse:
        # A relative address, so that it works behind a proxy that serves songlike below some path.
        return get_swagger_ui_html(openapi_url=OPENAPI_PATH.removeprefix("/"), title=TITLE)

    @app.get("/", include_in_schema=False)
    async def root() -> dict[str, str]:
        return {"name": TITLE, "version": version("songlike"), "docs": "/docs", "openapi": OPENAPI_PATH}


def _described(parameter: Parameter) -> dict[str, Any]:
    percentile = parameter.role in {"low_percentile", "high_percentile"}
    return {
        "name": parameter.name,
        "in": "query",
        "required": False,
        "description": parameter.description,
        "schema": _SCHEMAS["percentile" if percentile else parameter.kind],
    }
