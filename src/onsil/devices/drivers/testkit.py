"""What every driver must pass; a plug-in's own tests call `check_driver` with recorded frames."""

import random
from collections.abc import Sequence

from onsil.devices.drivers import Driver
from onsil.devices.terms import Decoded, DecodeError, Frame, SetAside, Status
from onsil.hub import Reading

CUTS = 40


def check_driver(driver: Driver, recorded: Sequence[tuple[Frame, Sequence[Decoded]]]) -> None:
    """Hold a driver against recorded frames and the readings they stand for.

    It must decode each, twice to the same; and of a frame that is cut or has bytes changed it must
    either make readings or raise DecodeError with both languages. Raises AssertionError.
    """
    assert isinstance(driver, Driver), f"{driver} does not follow the Driver protocol"
    assert recorded, "a driver is shown by frames recorded from a device"
    for frame, expected in recorded:
        assert driver.decode(frame) == list(expected)
        assert driver.decode(frame) == list(expected), "a repeated frame gave something else"
        for broken in _broken(frame.payload):
            made = _decoded(driver, frame._replace(payload=broken))
            if isinstance(made, DecodeError):
                assert all((made.code, made.ko, made.en)), "a refusal lacks a code or a language"
            else:
                assert all(isinstance(one, Reading | SetAside | Status) for one in made)


def _decoded(driver: Driver, frame: Frame) -> Sequence[Decoded] | DecodeError:
    try:
        return driver.decode(frame)
    except DecodeError as error:
        return error


def _broken(payload: bytes) -> Sequence[bytes]:
    """The frame cut at many places, and with single bytes changed; the same each time."""
    source = random.Random(len(payload))  # noqa: S311
    places = [source.randrange(len(payload)) for _ in range(CUTS)]
    changed = [payload[:at] + bytes([source.randrange(256)]) + payload[at + 1 :] for at in places]
    return [payload[:at] for at in places] + changed + [b"", payload + payload]
