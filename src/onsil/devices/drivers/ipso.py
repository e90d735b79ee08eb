"""IPSO smart objects (OMA LwM2M registry, 3200–3350) as attributes and units of the hub."""

from typing import Any, NamedTuple


class Meaning(NamedTuple):
    """What a resource measures; `unit` is empty where the resource itself must tell."""

    attribute: str
    unit: str = ""
    kind: str = "float"  # float, integer, boolean, string, time


_OBJECTS: dict[int, tuple[str, str]] = {
    3300: ("sensorValue", ""), 3301: ("illuminance", "lx"), 3303: ("temperature", "degC"),
    3304: ("relativeHumidity", "percent"), 3308: ("setPoint", ""),
    3313: ("acceleration", "m / s ** 2"), 3314: ("magneticField", "T"),
    3315: ("atmosphericPressure", "Pa"), 3316: ("voltage", "V"), 3317: ("current", "A"),
    3318: ("frequency", "Hz"), 3319: ("depth", "m"), 3320: ("percentage", "percent"),
    3321: ("altitude", "m"), 3322: ("load", "kg"), 3323: ("pressure", "Pa"),
    3324: ("loudness", "dB"), 3325: ("concentration", "ppm"), 3326: ("acidity", "dimensionless"),
    3327: ("conductivity", "S / m"), 3328: ("power", "W"), 3329: ("powerFactor", "dimensionless"),
    3330: ("distance", "m"), 3331: ("energy", "Wh"), 3346: ("rate", ""),
}  # fmt: skip
# Resources that mean something of their own, by object.
_RESOURCES: dict[tuple[int, int], Meaning] = {
    (3, 9): Meaning("batteryLevel", "percent", "integer"),
    (3, 3): Meaning("firmwareVersion", "", "string"),
    (3200, 5500): Meaning("digitalInput", "count", "boolean"),
    (3200, 5501): Meaning("digitalInputCounter", "count", "integer"),
    (3201, 5550): Meaning("digitalOutput", "count", "boolean"),
    (3202, 5600): Meaning("analogInput"),
    (3203, 5650): Meaning("analogOutput"),
    (3302, 5500): Meaning("presence", "count", "boolean"),
    (3302, 5501): Meaning("presenceCounter", "count", "integer"),
    (3305, 5800): Meaning("activePower", "W"),
    (3305, 5805): Meaning("activeEnergy", "Wh"),
    (3305, 5810): Meaning("reactivePower", "V * A"),
    (3305, 5815): Meaning("reactiveEnergy", "V * A * hour"),
    (3305, 5820): Meaning("powerFactor", "dimensionless"),
    (3306, 5850): Meaning("onOff", "count", "boolean"),
    (3306, 5851): Meaning("dimmer", "percent", "integer"),
    (3308, 5900): Meaning("setPoint"),
    (3311, 5850): Meaning("onOff", "count", "boolean"),
    (3311, 5851): Meaning("dimmer", "percent", "integer"),
    (3311, 5805): Meaning("activeEnergy", "Wh"),
    (3311, 5820): Meaning("powerFactor", "dimensionless"),
    (3312, 5850): Meaning("onOff", "count", "boolean"),
    (3312, 5851): Meaning("dimmer", "percent", "integer"),
    (3312, 5805): Meaning("activeEnergy", "Wh"),
    (3312, 5820): Meaning("powerFactor", "dimensionless"),
    (3313, 5702): Meaning("accelerationX", "m / s ** 2"),
    (3313, 5703): Meaning("accelerationY", "m / s ** 2"),
    (3313, 5704): Meaning("accelerationZ", "m / s ** 2"),
    (3331, 5805): Meaning("energy", "Wh"),
    (3336, 5514): Meaning("latitude", "degree", "string"),
    (3336, 5515): Meaning("longitude", "degree", "string"),
}  # fmt: skip
SENSOR_VALUE = 5700
SENSOR_UNITS = 5701
TIMESTAMP = 5518
BATTERY = (3, 9)
FIRMWARE = (3, 3)


def meaning(object_id: int, resource_id: int) -> Meaning | None:
    """What a resource measures; None for what is no measurement (limits, names, resets)."""
    own = _RESOURCES.get((object_id, resource_id))
    if own:
        return own
    if resource_id == SENSOR_VALUE and object_id in _OBJECTS:
        attribute, unit = _OBJECTS[object_id]
        return Meaning(attribute, unit)
    return None


def mapped(option: Any, fallback: Meaning | None) -> Meaning | None:
    """A device's own line for a resource: `{attribute, unit, kind}` over what IPSO says."""
    if not isinstance(option, dict):
        return fallback
    base = fallback or Meaning("")
    return Meaning(
        str(option.get("attribute", base.attribute)), str(option.get("unit", base.unit)),
        str(option.get("kind", base.kind)),
    )  # fmt: skip
