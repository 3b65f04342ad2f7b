"""Errors over HTTP: problem details (RFC 9457), the same shape for every error that this server answers."""

import logging
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from engine.errors import (
    BundleError,
    FilterError,
    InputError,
    NothingPublishedError,
    StoreError,
    UnknownSongError,
)

MEDIA_TYPE = "application/problem+json"
_URN = "urn:problem-type:songlike:"
_LOG = logging.getLogger(__name__)
_SCHEMA = {"content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}}
_MEANINGS = {
    404: "No such song",
    422: "A parameter cannot be used; `errors` names it",
    500: "The server failed on this request",
    503: "No index has been published yet, or the store cannot answer now",
}


class ParameterError(BaseModel):
    """One parameter that cannot be used, and why."""

    parameter: str
    detail: str


class Problem(BaseModel):
    """Problem details, RFC 9457."""

    type: str = Field(
        description="What kind of problem this is: `about:blank` when the status says it all, else "
        f"`{_URN}` + unknown-song, invalid-parameter, nothing-published or store-unavailable."
    )
    title: str = Field(description="The kind of problem in words; the same for every problem of this type.")
    status: int = Field(description="The HTTP status of this answer.")
    detail: str = Field(description="What is wrong here, and how to mend it.")
    errors: list[ParameterError] | None = Field(
        None, description="The parameters that cannot be used; in answers of status 422 only."
    )


class ProblemResponse(JSONResponse):
    """An answer that carries a `Problem`."""

    media_type = MEDIA_TYPE


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """OpenAPI responses of a route that may answer these errors; every route may answer 500."""
    return {status: {"description": _MEANINGS[status], **_SCHEMA} for status in (*statuses, 500)}


async def on_songlike_error(_request: Request, error: Exception) -> ProblemResponse:
    """Answer an error that songlike raised on purpose; paths and hosts go to the log, not to the client."""
    match error:
        case FilterError():
            wrong = ParameterError(parameter=error.parameter, detail=_after_name(error))
            return _invalid([wrong])
        case UnknownSongError():
            return _problem(404, str(error), kind="unknown-song", title="Unknown song")
        case NothingPublishedError():
            return _problem(503, str(error), kind="nothing-published", title="Nothing published")
        case InputError():
            return _problem(422, str(error), kind="invalid-parameter", title="Invalid parameter")
        case BundleError() | StoreError():
            _LOG.error("%s: %s", type(error).__name__, error)
            detail = "the catalogue or its index cannot be used now; the server's log says why"
            return _problem(503, detail, kind="store-unavailable", title="Store unavailable")
    return await on_unexpected_error(_request, error)


async def on_invalid_request(_request: Request, error: Exception) -> ProblemResponse:
    """Answer a request whose typed parameters do not fit."""
    wrongs = error.errors() if isinstance(error, RequestValidationError) else []
    return _invalid(
        [ParameterError(parameter=str(wrong["loc"][-1]), detail=str(wrong["msg"])) for wrong in wrongs]
    )


async def on_http_error(_request: Request, error: Exception) -> ProblemResponse:
    """Answer what the router raises itself: an unknown route, a method that is not allowed."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    details = {
        404: "there is nothing at this path; /docs lists what there is",
        405: "this path does not answer this method; the header Allow names those it does",
    }
    answer = _problem(status, details.get(status, HTTPStatus(status).description))
    answer.headers.update(getattr(error, "headers", None) or {})
    return answer


async def on_unexpected_error(_request: Request, _error: Exception) -> ProblemResponse:
    """Answer a defect of songlike; the server logs its traceback, the client learns nothing of it."""
    return _problem(500, "the server failed on this request; its log says why")


def _invalid(errors: Sequence[ParameterError]) -> ProblemResponse:
    detail = "; ".join(f"{error.parameter}: {error.detail}" for error in errors)
    return _problem(422, detail, kind="invalid-parameter", title="Invalid parameter", errors=list(errors))


def _after_name(error: FilterError) -> str:
    return str(error).removeprefix(f"{error.parameter}: ")


def _problem(
    status: int,
    detail: str,
    *,
    kind: str | None = None,
    title: str | None = None,
    errors: list[ParameterError] | None = None,
) -> ProblemResponse:
    problem = Problem(
        type=f"{_URN}{kind}" if kind else "about:blank",
        title=title or HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        errors=errors,
    )
    return ProblemResponse(problem.model_dump(exclude_none=True), status_code=status)
