"""Labels that the catalogue holds values of: a table of rows, so that the label set stays data."""

from sqlalchemy import Connection, insert, select

from engine.errors import InputError
from engine.vocabulary import Label, LabelSchema
from indexer.catalog.schema import LabelColumnRow


def read_labels(connection: Connection) -> LabelSchema | None:
    """Labels in order of first import, or None when no label was ever imported."""
    columns = (LabelColumnRow.name, LabelColumnRow.slug, LabelColumnRow.minimum, LabelColumnRow.maximum)
    rows = connection.execute(select(*columns).order_by(LabelColumnRow.position)).all()
    return LabelSchema(tuple(Label(*row) for row in rows)) if rows else None


def add_labels(connection: Connection, schema: LabelSchema) -> None:
    """Add labels that are new behind the known ones.

    Raises
    ------
    InputError
        When a label is known with another range.
    """
    known = {label.slug: label for label in read_labels(connection) or ()}
    for label in schema:
        before = known.get(label.slug, label)
        if (before.minimum, before.maximum) != (label.minimum, label.maximum):
            raise InputError(
                f"label {label.name!r} is known in this catalogue with the range [{before.minimum:g}, "
                f"{before.maximum:g}], not [{label.minimum:g}, {label.maximum:g}]; use the known range or "
                "another label name"
            )
    new = [label for label in schema if label.slug not in known]
    rows = [
        {
            "slug": label.slug,
            "position": position,
            "name": label.name,
            "minimum": label.minimum,
            "maximum": label.maximum,
        }
        for position, label in enumerate(new, len(known))
    ]
    if rows:
        connection.execute(insert(LabelColumnRow), rows)
