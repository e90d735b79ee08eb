"""Which witnesses a city's log is shown to: the city's `witnesses.toml`, the installation's, or
the witness that the installation runs itself, which proves nothing to outsiders."""

from datetime import date
from pathlib import Path

from onsil.configuration import Configuration
from onsil.core.refusal import OperationError
from onsil.proof.policy import Policy, PolicyError
from onsil.proof.witness.plan import Operator, WitnessPlan, parse_plan
from onsil.tenancy.cities import city as known_city

LOCAL = "local"
LOCAL_NAME = "onsil.local/witness"
_FILE = "witnesses.toml"


def witness_plan(conf: Configuration, city: str) -> WitnessPlan:
    """The plan in force for a city. Raises OperationError, naming the file, when it is wrong."""
    for path in (known_city(city).folder / _FILE, conf.witnesses):
        if path.exists():
            try:
                return parse_plan(path.read_text("utf-8"))
            except (PolicyError, UnicodeDecodeError) as error:
                raise OperationError(f"{path}: {error}", retry=False) from error
    return _local_plan(conf)


def local_witness_folder(conf: Configuration) -> Path:
    """Keys and memory of the witness that the installation runs itself."""
    return conf.data_folder / "witness"


def _local_plan(conf: Configuration) -> WitnessPlan:
    keys = local_witness_folder(conf) / "verifier-keys"
    if not conf.local_witness or not keys.exists():
        return WitnessPlan()
    key = keys.read_text("utf-8").splitlines()[-1]
    text = f"witness {LOCAL} {key} http://{conf.host}:{conf.witness_port}/\nquorum none\n"
    own = Operator("이 설치본 (독립 증인 아님)", "This installation (not independent)", own=True)
    return WitnessPlan(((date.min, Policy.parse(text)),), False, {LOCAL: own})
