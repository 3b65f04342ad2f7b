"""GET /labels: what songs can be filtered by here, and how the values lie."""

from fastapi import APIRouter, Depends

from api.http.parameters import OnlyParameters
from api.http.problems import documented
from api.http.resources import IndexDep
from api.http.schemas import LabelsOut

router = APIRouter(tags=["labels"])


@router.get(
    "/labels",
    summary="Labels of the published index",
    responses=documented(422, 503),
    dependencies=[Depends(OnlyParameters())],
)
def labels(index: IndexDep) -> LabelsOut:
    """Answer name, slug and range of every label, and the percentiles of its values in this catalogue.

    Values of many labels crowd near their floor: the percentiles tell which bound leaves how many songs.
    """
    return LabelsOut.of(index.info)
