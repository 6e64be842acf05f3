"""A zip of class folders; a stranger's until proven otherwise.

Nothing is ever extracted: members are read one by one into memory, so no name in a zip can become a path on this
computer.
"""

import hashlib
import stat
import threading
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

from alexnet_core.data.collection import LAYOUT, Cancelled, Collection, Progress, Refused, gone
from alexnet_core.data.layout import SPLIT_NAMES, Layout, Parts, ignored
from alexnet_core.data.picture_files import Files, decoded
from alexnet_core.errors import ExplorerError
from alexnet_core.images import clean_name
from alexnet_core.limits import PICTURE_BYTES, ArchiveLimits, archive_limits
from alexnet_core.memory import is_lack_of_memory

MEMBER_ERRORS = (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError, RuntimeError)
"""What zipfile lets out for a damaged or unusual member."""

BOUNDED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""Ways to pack of which zipfile unpacks no more than it is asked for. Of the others (bzip2, LZMA, Zstandard) it unpacks
all that it has read, in one go: a megabyte of bzip2 can become twenty gigabytes before anybody could count them."""

READ_WHOLE = 4_000_000_000
"""Bytes up to which a zip is read once more to know it by all its content: some ten seconds. Photographs of the size of
ImageNet are 150 GB, as long to read as to prepare; such a zip is known by its table of contents, which holds the name,
the sizes and the checksum of every member, and reading compares them."""


def archive_key(path: Path, progress: Progress | None = None, cancelled: Cancelled | None = None) -> str:
    """The sha256 of the zip, of a very large one that of its table of contents: 64 hexadecimal digits.

    Raises Refused for a zip that is too large or lists too many files: both are seen here, before anything parses it.
    """
    name, limits = clean_name(path.name), archive_limits(path)
    size = path.stat().st_size
    if size > limits.packed_bytes:
        raise Refused(
            f"“{name}” is larger than {limits.packed_bytes // 1_000_000:,} MB. Send fewer or smaller pictures."
        )
    if size > READ_WHOLE:
        return _contents_key(path, limits)
    key, listed, tail, read = hashlib.sha256(), 0, b"", 0
    try:
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                key.update(block)
                # Each line of a zip's table of contents starts so. Counting them bounds what opening it can cost; the
                # number that the zip itself gives is ignored by readers, and can lie.
                listed += (tail + block).count(b"PK\1\2")
                tail, read = block[-3:], read + len(block)
                if progress:
                    progress(read, size, "reading")
                if cancelled and cancelled():
                    raise ExplorerError(f"Reading “{name}” was stopped. Start again when you like.")
    except OSError as error:
        reason = error.strerror or "unknown error"
        raise ExplorerError(f"“{name}” cannot be read ({reason}). Check its permissions.") from error
    if listed > limits.entries + 100:  # a few more may turn up by chance inside the pictures
        raise Refused(_too_many(name, limits))
    return key.hexdigest()


def _contents_key(path: Path, limits: ArchiveLimits) -> str:
    name = clean_name(path.name)
    with _opened(path) as archive, path.open("rb") as file:
        if len(archive.infolist()) > limits.entries:
            raise Refused(_too_many(name, limits))
        file.seek(archive.start_dir)
        return hashlib.file_digest(file, "sha256").hexdigest()


def _opened(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except MEMBER_ERRORS as error:
        if is_lack_of_memory(error):
            raise
        raise Refused(f"“{clean_name(path.name)}” is not a zip, or a damaged one. Pack the folder again.") from error


def _too_many(name: str, limits: ArchiveLimits) -> str:
    return f"“{name}” holds more than {limits.entries:,} files. Make a zip with fewer pictures."


def archive_files(path: Path, loose: str | None = None) -> Files:
    """The picture files of a zip, which stays open while they are in use; `loose` as for a folder.

    Raises Refused for anything a zip of pictures does not do: links, encryption, paths that lead out of it, more
    files or bytes than its limits allow, no layout of class folders.
    """
    name, limits = clean_name(path.name), archive_limits(path)
    archive = _opened(path)
    try:
        layout, found = _laid_out(archive, name, limits, loose)
    except BaseException:  # also Ctrl-C: the error that is on its way would keep the zip open
        archive.close()
        raise
    read_member = _counting_reader(archive, path, limits)
    return Files(
        clean_name(path.stem),
        f"the zip {name}",
        layout.classes,
        tuple(layout.entries),
        tuple(layout.skipped),
        lambda position: read_member(found[layout.paths[position]]),
        archive.close,
    )


def _laid_out(
    archive: zipfile.ZipFile, name: str, limits: ArchiveLimits, loose: str | None
) -> tuple[Layout, dict[Parts, zipfile.ZipInfo]]:
    members = [member for member in archive.infolist() if not member.is_dir()]
    if len(archive.infolist()) > limits.entries:
        raise Refused(_too_many(name, limits))
    found: dict[Parts, zipfile.ZipInfo] = {}  # of two members of the same name the later one counts, as in unpacking
    for member in members:
        parts = _safe_parts(member, name)
        if not ignored(parts):
            found[parts] = member
    if not found:
        raise Refused(f"“{name}” holds no pictures. {LAYOUT}")
    return Layout(sorted(found), SPLIT_NAMES, {}, loose), found


def read_archive(path: Path, side: int | None = None) -> Collection:
    """The pictures of a zip, as `archive_files` finds them."""
    return decoded(archive_files(path), side)


UTF8_NAME = 0x800
"""The bit by which a zip says that a member's name is UTF-8."""


def _name(member: zipfile.ZipInfo) -> str:
    """The member's name. Apple's own packing writes UTF-8 without saying so, and zipfile takes that for the letters of
    an old PC; a name from an old PC is hardly ever UTF-8 by chance."""
    if member.flag_bits & UTF8_NAME:
        return member.filename
    try:
        return member.filename.encode("cp437").decode("utf-8")
    except ValueError:
        return member.filename


def _safe_parts(member: zipfile.ZipInfo, archive: str) -> Parts:
    """The member's path in pieces. Nothing is written there; a zip that tries is not one to be read at all."""
    path = _name(member).replace("\\", "/")  # some Windows programs pack so
    parts = tuple(part for part in path.split("/") if part not in ("", "."))
    if path.startswith("/") or ".." in parts or (parts and parts[0][1:2] == ":"):
        raise Refused(f"“{archive}” contains paths that lead out of it. Pack the folder of pictures again yourself.")
    if stat.S_ISLNK(member.external_attr >> 16):
        raise Refused(f"“{archive}” contains links. Pack the pictures themselves.")
    if member.flag_bits & 1:
        raise Refused(f"“{archive}” is encrypted. Pack the pictures without a password.")
    if member.compress_type not in BOUNDED:
        raise Refused(f"“{archive}” is packed in an unusual way. Pack the folder of pictures again as an ordinary zip.")
    return parts


def _counting_reader(archive: zipfile.ZipFile, path: Path, limits: ArchiveLimits) -> Callable[[zipfile.ZipInfo], bytes]:
    """Reads members from several threads, and counts what really comes out of them."""
    name, unpacked = clean_name(path.name), 0
    counting = threading.Lock()

    def read(member: zipfile.ZipInfo) -> bytes:
        nonlocal unpacked
        shown = clean_name(_name(member).rsplit("/", 1)[-1])
        try:
            with archive.open(member) as stream:
                data = stream.read(PICTURE_BYTES + 1)
        except MEMBER_ERRORS as error:
            if is_lack_of_memory(error):
                raise
            if not path.exists():
                raise gone(name) from error
            raise ExplorerError(f"“{shown}” is damaged inside the zip. Pack it again.") from error
        with counting:
            unpacked += len(data)
        # A file of a few hundred bytes may well shrink more than a hundredfold; it can do no harm.
        if len(data) > limits.ratio * max(member.compress_size, 1_000):
            raise Refused(
                f"“{name}” unpacks to more than {limits.ratio} times its size, as no pictures do. It is refused."
            )
        if unpacked > limits.unpacked_bytes:
            most = f"{limits.unpacked_bytes // 1_000_000:,} MB"
            raise Refused(f"“{name}” unpacks to more than {most}. Use fewer or smaller pictures.")
        return data

    return read
