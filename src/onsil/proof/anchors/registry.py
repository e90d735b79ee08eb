"""Where the installed kinds of anchors are found: the entry-point group `onsil.anchors`."""

from collections.abc import Callable, Mapping
from importlib.metadata import entry_points
from typing import Any

from onsil.proof.anchors.terms import Anchor

OpenAnchor = Callable[[Mapping[str, Any]], Anchor | None]


def open_anchors(settings: Mapping[str, Any]) -> list[Anchor]:
    """Every place that an installation's settings name, by the name of its kind.

    Raises OperationError for a setting that cannot be used.
    """
    found = sorted(entry_points(group="onsil.anchors"), key=lambda point: point.name)
    opened = [point.load()(settings) for point in found]
    return [anchor for anchor in opened if anchor is not None]
