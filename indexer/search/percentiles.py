"""Percentiles of the predicted labels in a catalogue: raw values of many labels crowd near their floor."""

import numpy as np
from numpy.typing import NDArray

from engine.vocabulary import LabelSchema

LABEL_PERCENTILES = (0, 1, 5, 10, 25, 50, 75, 90, 95, 99, 100)


def label_percentiles(labels: NDArray[np.float32], schema: LabelSchema) -> dict[str, dict[int, float]]:
    """Percentiles of each label's known values, by slug; empty for a label that no song has.

    ``labels`` is (number of labels, n), NaN where unknown. Linear interpolation, in double precision.
    """
    table: dict[str, dict[int, float]] = {}
    for slug, column in zip(schema.slugs, labels, strict=True):
        known = column[~np.isnan(column)].astype(np.float64)
        values = np.percentile(known, LABEL_PERCENTILES).tolist() if len(known) else []
        table[slug] = dict(zip(LABEL_PERCENTILES, values, strict=False))
    return table
