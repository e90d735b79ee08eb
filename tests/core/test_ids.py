"""UUIDv7 as RFC 9562 writes it."""

from uuid import UUID

from onsil.core.ids import new_id, uuid7


def test_the_example_of_rfc_9562_appendix_a6():
    # unix_ts_ms 0x017F22E279B0, rand_a 0xCC3, rand_b 0x18C4DC0C0C07398F
    random = bytes.fromhex("0cc3" + "18c4dc0c0c07398f")
    assert uuid7(0x017F22E279B0, random) == UUID("017f22e2-79b0-7cc3-98c4-dc0c0c07398f")


def test_version_and_variant():
    made = new_id()
    assert made.version == 7
    assert made.variant == "specified in RFC 4122"


def test_ids_sort_by_time():
    assert uuid7(1, b"\xff" * 10) < uuid7(2, b"\x00" * 10)
