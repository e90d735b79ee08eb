"""The file itself: a ZIP that holds its members, one after another, and nothing else."""

import io
import re
import zipfile

_MOST_BYTES = 2 * 1024**3
_MOST_MEMBERS = 100_000
_LOCAL_HEADER, _END = 30, 22
_UTF_8 = 0x800
_HASH = "[0-9a-f]{64}"
_PATHS = re.compile(
    r"(manifest|run|inputs|outputs|findings|claims|log_entry)\.json|README\.txt"
    rf"|readings/{_HASH}\.txt|tables/{_HASH}\.jsonl"
    r"|(factors|coefficients)/[A-Za-z0-9][A-Za-z0-9._@-]*\.json"
    r"|proofs/(receipt\.tlog-proof|checkpoint\.txt)"
)


class Unreadable(Exception):
    """Not a bundle of this form at all."""


def members_of(data: bytes) -> dict[str, bytes]:
    """The members by path. Raises Unreadable; nothing is ever written to disk or unpacked."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as held:
            entries = held.infolist()
            _sound(entries)
            _nothing_between(held, entries, len(data))
            return {one.filename: held.read(one) for one in entries}
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError, OSError) as error:
        raise Unreadable(str(error)) from error


def _sound(entries: list[zipfile.ZipInfo]) -> None:
    if len(entries) > _MOST_MEMBERS or sum(one.file_size for one in entries) > _MOST_BYTES:
        raise Unreadable("larger than a bundle may be")
    names = [one.filename for one in entries]
    if len(set(names)) != len(names):
        raise Unreadable("a path occurs twice")
    for one in entries:
        if _PATHS.fullmatch(one.orig_filename) is None:
            raise Unreadable(f"no bundle has a member {one.orig_filename[:80]!r}")
        if one.compress_type != zipfile.ZIP_STORED or one.compress_size != one.file_size:
            raise Unreadable(f"{one.filename} is compressed")
        if one.flag_bits & ~_UTF_8 or one.extra or one.comment or one.is_dir():
            raise Unreadable(f"{one.filename} is not a plain member")


def _nothing_between(held: zipfile.ZipFile, entries: list[zipfile.ZipInfo], length: int) -> None:
    """Every byte belongs to a member or to the directory: no second file hides in this one."""
    at = directory = 0
    for one in entries:
        name = len(one.filename.encode("utf-8"))
        if one.header_offset != at:
            raise Unreadable("bytes that belong to no member")
        at += _LOCAL_HEADER + name + one.file_size
        directory += 46 + name
    if held.comment or held.start_dir != at or at + directory + _END != length:
        raise Unreadable("bytes that belong to no member")
