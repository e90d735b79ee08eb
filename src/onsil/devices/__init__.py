"""Devices: who may send what, in which form, and how each of them fares.

Drivers turn messages into readings; the hub's rules decide on each.
"""

from onsil.devices.drafts import draft_mapping, mapping_file_of
from onsil.devices.drivers import Driver, drivers
from onsil.devices.field import FieldSettings, run_field
from onsil.devices.health import device_health
from onsil.devices.imports import ImportReport, import_table
from onsil.devices.ingest import IngestReport, Message, ingest
from onsil.devices.mapping import TableMapping, mapping_of, read_mapping
from onsil.devices.mqtt import MqttSettings, run_mqtt
from onsil.devices.register import (
    authenticate,
    devices,
    register_device,
    seen,
    writer_of,
    writer_steps,
)
from onsil.devices.simulators import SimulatorSpec, register_simulators, run_simulators
from onsil.devices.terms import DecodeError, Device, DeviceHealth, DeviceSpec, Frame
from onsil.devices.tokens import BrokerAccount, broker_accounts

__all__ = [
    "BrokerAccount",
    "DecodeError",
    "Device",
    "DeviceHealth",
    "DeviceSpec",
    "Driver",
    "FieldSettings",
    "Frame",
    "ImportReport",
    "IngestReport",
    "Message",
    "MqttSettings",
    "SimulatorSpec",
    "TableMapping",
    "authenticate",
    "broker_accounts",
    "device_health",
    "devices",
    "draft_mapping",
    "drivers",
    "import_table",
    "ingest",
    "mapping_file_of",
    "mapping_of",
    "read_mapping",
    "register_device",
    "register_simulators",
    "run_field",
    "run_mqtt",
    "run_simulators",
    "seen",
    "writer_of",
    "writer_steps",
]
