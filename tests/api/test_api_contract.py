"""Random requests made from the OpenAPI description: no answer may fall outside what it promises."""

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import (
    content_type_conformance,
    negative_data_rejection,
    not_a_server_error,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from schemathesis.schemas import BaseSchema

from api.http.app import create_app
from tests.api.small_home import SmallHome

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
SHORT = settings(
    max_examples=30,
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
PATHS = ["/similar", "/songs", "/songs/{song_id}", "/labels", "/health/live", "/health/ready"]


@pytest.fixture(scope="session")
def described(small_home: SmallHome) -> BaseSchema:
    return schemathesis.openapi.from_asgi("/openapi.json", create_app(small_home.settings))


@pytest.mark.parametrize("path", PATHS)
def test_fitting_requests_get_what_the_description_promises(described: BaseSchema, path: str) -> None:
    @seed(20)
    @SHORT
    @given(case=described[path]["GET"].as_strategy())
    def run(case: Case[Any]) -> None:
        case.call_and_validate(checks=CHECKS)

    run()


@pytest.mark.parametrize("path", ["/similar", "/songs"])
def test_requests_that_do_not_fit_are_refused(described: BaseSchema, path: str) -> None:
    @seed(21)
    @settings(SHORT, max_examples=20)  # each has many parameters, and is slow to make
    @given(case=described[path]["GET"].as_strategy(generation_mode=GenerationMode.NEGATIVE))
    def run(case: Case[Any]) -> None:
        case.call_and_validate(checks=[*CHECKS, negative_data_rejection])

    run()


def test_filters_of_a_known_song_are_answered_or_refused(described: BaseSchema) -> None:
    """With a seed that exists, so that the filters themselves are what varies."""
    statuses: set[int] = set()

    @seed(22)
    @SHORT
    @given(
        case=described["/similar"]["GET"].as_strategy(),
        song_id=st.sampled_from(["s010", "a/b/c.flac", "..x"]),
    )
    def run(case: Case[Any], song_id: str) -> None:
        case.query = {**(case.query or {}), "song_id": song_id}
        statuses.add(case.call_and_validate(checks=CHECKS).status_code)

    run()
    assert statuses <= {200, 422}
    assert 200 in statuses
