"""SunSpec information models as tables: where each point lies and what the hub calls it.

Offsets count from the model's id word (id 0, length 1). Source: SunSpec Alliance, Information Model
Reference (models 1, 101–103, 111–113, 120–124, 160, 201–204). A point is
(offset, SunSpec name, type, scale factor's offset or a fixed power of ten, attribute, unit).
"""

from typing import NamedTuple


class Point(NamedTuple):
    """One point of a model; `scale_at` is where its scale factor lies, None for a factor of one."""

    offset: int
    name: str
    type: str
    scale_at: int | None
    attribute: str
    unit: str


class Control(NamedTuple):
    """A point that may be written: an actuator, and what must be set to one to make it count."""

    actuator: str
    offset: int
    type: str
    scale_at: int | None
    enable_at: int | None


COMMON_FIRMWARE = (42, 8)  # Vr: 16 characters
MODULES_AT, MODULE_WORDS = 10, 20


def _phases(
    first: int, kind: str, scale: int | None, base: str, unit: str, words: int = 1
) -> list[Point]:
    """A total and its three phases, one after the other."""
    ends = ("", "PhaseA", "PhaseB", "PhaseC")
    return [
        Point(first + i * words, base + end, kind, scale, base + end, unit)
        for i, end in enumerate(ends)
    ]


_INVERTER_INT = [
    *_phases(2, "uint16", 6, "current", "A"),
    Point(10, "PhVphA", "uint16", 13, "voltagePhaseA", "V"),
    Point(11, "PhVphB", "uint16", 13, "voltagePhaseB", "V"),
    Point(12, "PhVphC", "uint16", 13, "voltagePhaseC", "V"),
    Point(14, "W", "int16", 15, "activePower", "W"),
    Point(16, "Hz", "uint16", 17, "frequency", "Hz"),
    Point(18, "VA", "int16", 19, "apparentPower", "V * A"),
    Point(20, "VAr", "int16", 21, "reactivePower", "V * A"),
    Point(22, "PF", "int16", 23, "powerFactor", "percent"),
    Point(24, "WH", "acc32", 26, "activeEnergyTotal", "Wh"),
    Point(27, "DCA", "uint16", 28, "dcCurrent", "A"),
    Point(29, "DCV", "uint16", 30, "dcVoltage", "V"),
    Point(31, "DCW", "int16", 32, "dcPower", "W"),
    Point(33, "TmpCab", "int16", 37, "cabinetTemperature", "degC"),
    Point(38, "St", "enum16", None, "operatingState", "count"),
]
_INVERTER_FLOAT = [
    *_phases(2, "float32", None, "current", "A", 2),
    Point(16, "PhVphA", "float32", None, "voltagePhaseA", "V"),
    Point(18, "PhVphB", "float32", None, "voltagePhaseB", "V"),
    Point(20, "PhVphC", "float32", None, "voltagePhaseC", "V"),
    Point(22, "W", "float32", None, "activePower", "W"),
    Point(24, "Hz", "float32", None, "frequency", "Hz"),
    Point(26, "VA", "float32", None, "apparentPower", "V * A"),
    Point(28, "VAr", "float32", None, "reactivePower", "V * A"),
    Point(30, "PF", "float32", None, "powerFactor", "percent"),
    Point(32, "WH", "float32", None, "activeEnergyTotal", "Wh"),
    Point(34, "DCA", "float32", None, "dcCurrent", "A"),
    Point(36, "DCV", "float32", None, "dcVoltage", "V"),
    Point(38, "DCW", "float32", None, "dcPower", "W"),
    Point(40, "TmpCab", "float32", None, "cabinetTemperature", "degC"),
    Point(48, "St", "enum16", None, "operatingState", "count"),
]
_METER = [
    *_phases(2, "int16", 6, "meterCurrent", "A"),
    Point(7, "PhV", "int16", 15, "meterVoltage", "V"),
    Point(8, "PhVphA", "int16", 15, "meterVoltagePhaseA", "V"),
    Point(9, "PhVphB", "int16", 15, "meterVoltagePhaseB", "V"),
    Point(10, "PhVphC", "int16", 15, "meterVoltagePhaseC", "V"),
    Point(16, "Hz", "int16", 17, "meterFrequency", "Hz"),
    *_phases(18, "int16", 22, "meterActivePower", "W"),
    Point(23, "VA", "int16", 27, "meterApparentPower", "V * A"),
    Point(28, "VAR", "int16", 32, "meterReactivePower", "V * A"),
    Point(33, "PF", "int16", 37, "meterPowerFactor", "percent"),
    Point(38, "TotWhExp", "acc32", 54, "activeEnergyExported", "Wh"),
    Point(46, "TotWhImp", "acc32", 54, "activeEnergyImported", "Wh"),
]

MODELS: dict[int, list[Point]] = {
    101: _INVERTER_INT, 102: _INVERTER_INT, 103: _INVERTER_INT,
    111: _INVERTER_FLOAT, 112: _INVERTER_FLOAT, 113: _INVERTER_FLOAT,
    120: [
        Point(3, "WRtg", "uint16", 4, "ratedPower", "W"),
        Point(5, "VARtg", "uint16", 6, "ratedApparentPower", "V * A"),
        Point(12, "ARtg", "uint16", 13, "ratedCurrent", "A"),
        Point(19, "WHRtg", "uint16", 20, "ratedStorage", "Wh"),
    ],
    121: [
        Point(2, "WMax", "uint16", 22, "powerSetting", "W"),
        Point(3, "VRef", "uint16", 23, "referenceVoltage", "V"),
        Point(7, "VAMax", "uint16", 26, "apparentPowerSetting", "V * A"),
    ],
    122: [
        Point(2, "PVConn", "bits16", None, "pvConnection", "count"),
        Point(5, "ActWh", "acc64", None, "activeEnergyLifetime", "Wh"),
        Point(31, "WAval", "uint16", 32, "availablePower", "W"),
        Point(44, "Ris", "uint16", 45, "isolationResistance", "ohm"),
    ],
    123: [
        Point(4, "Conn", "enum16", None, "connected", "count"),
        Point(5, "WMaxLimPct", "uint16", 23, "activePowerLimit", "percent"),
        Point(9, "WMaxLim_Ena", "enum16", None, "activePowerLimitEnabled", "count"),
        Point(10, "OutPFSet", "int16", 24, "powerFactorSetting", "dimensionless"),
    ],
    124: [
        Point(2, "WChaMax", "uint16", 18, "storageChargePowerMax", "W"),
        Point(7, "MinRsvPct", "uint16", 21, "storageReserve", "percent"),
        Point(8, "ChaState", "uint16", 22, "storageCharge", "percent"),
        Point(10, "InBatV", "uint16", 24, "storageVoltage", "V"),
        Point(11, "ChaSt", "enum16", None, "storageState", "count"),
    ],
    201: _METER, 202: _METER, 203: _METER, 204: _METER,
}  # fmt: skip
# Model 160: of each module, from the beginning of its block; scale factors lie in the model's head.
MODULE_POINTS = [
    Point(9, "DCA", "uint16", 2, "moduleDcCurrent", "A"),
    Point(10, "DCV", "uint16", 3, "moduleDcVoltage", "V"),
    Point(11, "DCW", "uint16", 4, "moduleDcPower", "W"),
    Point(12, "DCWH", "acc32", 5, "moduleDcEnergyTotal", "Wh"),
    Point(16, "Tmp", "int16", None, "moduleTemperature", "degC"),
]
CONTROLS: dict[int, list[Control]] = {
    123: [
        Control("connected", 4, "enum16", None, None),
        Control("activePowerLimit", 5, "uint16", 23, 9),
        Control("powerFactorSetting", 10, "int16", 24, 14),
    ],
    124: [Control("storageReserve", 7, "uint16", 21, None)],
}
