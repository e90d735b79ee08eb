"""A city's data sets as its folder says, brought into the hub."""

from onsil.core.clock import Clock, SystemClock
from onsil.hub.datasets.registry import read_datasets
from onsil.hub.datasets.store import put_datasets
from onsil.hub.steps import run
from onsil.tenancy import transaction
from onsil.tenancy.cities import CityProfile


def load_datasets(profile: CityProfile, clock: Clock | None = None) -> int:
    """Make the city's data sets those of `datasets.toml`, and say how many; twice changes nothing.

    Raises OperationError, which names the data set at fault; then nothing is changed.
    """
    catalogue, datasets = read_datasets(profile.folder / "datasets.toml")
    with transaction(profile.code) as conn:
        now = (clock or SystemClock()).now()
        run(conn, put_datasets(profile.code, catalogue, datasets, now))
    return len(datasets)
