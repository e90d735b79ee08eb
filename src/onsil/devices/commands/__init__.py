"""Commands down to devices: ordered, sent, acknowledged, and made safe when they go astray."""

from onsil.devices.commands.actuators import Actuator, actuators, can_command, channel_of
from onsil.devices.commands.machine import Command
from onsil.devices.commands.orders import (
    acknowledge,
    cancel,
    commands,
    order,
    reconnected,
    take_due,
)

__all__ = [
    "Actuator",
    "Command",
    "acknowledge",
    "actuators",
    "can_command",
    "cancel",
    "channel_of",
    "commands",
    "order",
    "reconnected",
    "take_due",
]
