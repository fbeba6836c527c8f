"""Files of folders and archives: hostile ones are refused or counted, and nothing is unpacked to the disk."""

from __future__ import annotations

import gzip
import io
import os
import shutil
import stat
import tarfile
import time
import tracemalloc
import zipfile

import pytest

from engine.builders import Funnel, packed
from engine.builders.packed import LONGEST, files_in
from engine.errors import UserError

LEADS_OUT = "its path leads out of the archive"


def read(path):
    funnel = Funnel()
    return dict(files_in(path, (".patch",), funnel, "builder.path")), funnel


def tar(path, *entries, mode="w:gz"):
    with tarfile.open(path, mode) as archive:
        for entry, content in entries:
            entry = tarfile.TarInfo(entry) if isinstance(entry, str) else entry
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return path


def link(name, kind=tarfile.SYMTYPE):
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname = kind, "/etc/passwd"
    return entry, b""


def zipped(path, *entries):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for entry, content in entries:
            archive.writestr(entry, content)
    return path


def test_a_folder(tmp_path):
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "2.patch").write_bytes(b"two")
    (tmp_path / "1.patch").write_bytes(b"one")
    (tmp_path / "other.txt").write_bytes(b"no")
    (tmp_path / "long.patch").write_bytes(b"x" * (LONGEST + 1))
    (tmp_path / "link.patch").symlink_to("/etc/passwd")
    os.mkfifo(tmp_path / "pipe.patch")
    found, funnel = read(tmp_path)
    assert found == {"1.patch": b"one", "b/2.patch": b"two"}
    assert funnel.lost == {"is a link": 1, "longer than 4 MiB": 1, "is no ordinary file": 1}
    assert funnel.source == 5


@pytest.mark.parametrize("name", ["x.tar.gz", "x.tgz", "x.tar", "x.zip"])
def test_the_same_files_from_every_archive(tmp_path, name):
    entries = [("a/1.patch", b"one"), ("./2.patch", b"two"), ("other.txt", b"no"), ("3.patch", b"x" * (LONGEST + 1))]
    if name.endswith(".zip"):
        path = zipped(tmp_path / name, *entries)
    else:
        path = tar(tmp_path / name, *entries, mode="w" if name.endswith(".tar") else "w:gz")
    found, funnel = read(path)
    assert found == {"a/1.patch": b"one", "2.patch": b"two"}
    assert (funnel.source, funnel.lost) == (3, {"longer than 4 MiB": 1})


def test_paths_that_lead_out_and_links_are_refused(tmp_path):
    names = ["../x.patch", "/x.patch", "a/../../x.patch", "C:x.patch", "a\\..\\x.patch"]
    bad = [(name, b"x") for name in names]
    found, funnel = read(
        tar(tmp_path / "x.tar.gz", *bad, link("l.patch"), link("h.patch", tarfile.LNKTYPE), ("ok.patch", b"y"))
    )
    assert found == {"ok.patch": b"y"}
    assert funnel.lost == {LEADS_OUT: 5, "is a link": 2}
    device = tarfile.TarInfo("d.patch")
    device.type = tarfile.CHRTYPE
    assert read(tar(tmp_path / "d.tar.gz", (device, b"")))[1].lost == {"is no ordinary file": 1}
    symlink = zipfile.ZipInfo("l.patch")
    symlink.external_attr = (stat.S_IFLNK | 0o777) << 16
    found, funnel = read(zipped(tmp_path / "x.zip", *bad[:4], (symlink, b"/etc/passwd"), ("ok.patch", b"y")))
    assert found == {"ok.patch": b"y"}
    assert funnel.lost == {LEADS_OUT: 4, "is a link": 1}


def test_a_second_file_of_the_same_name_is_counted(tmp_path):
    found, funnel = read(tar(tmp_path / "x.tar.gz", ("1.patch", b"x"), ("./1.patch", b"y")))
    assert found == {"1.patch": b"x"}
    assert funnel.lost == {"a file of this name came before": 1}


def cut_off(path, share):
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    return path


def test_a_truncated_archive_says_how_far_it_went(tmp_path):
    entries = [(f"{n}.patch", os.urandom(3000)) for n in range(50)]
    with pytest.raises(UserError, match=r"x.tar.gz is damaged or cut off after \d+ files .*copy or download it again"):
        read(cut_off(tar(tmp_path / "x.tar.gz", *entries), 0.5))
    with pytest.raises(UserError, match="x.zip is damaged or cut off .*has no list of files"):
        read(cut_off(zipped(tmp_path / "x.zip", *entries), 0.5))
    (tmp_path / "words.tar.gz").write_bytes(b"not an archive at all")
    with pytest.raises(UserError, match="words.tar.gz is damaged or cut off"):
        read(tmp_path / "words.tar.gz")


def test_a_damaged_file_in_a_zip_is_counted(tmp_path):
    path = zipped(tmp_path / "x.zip", ("1.patch", b"abc" * 1000), ("2.patch", b"y"))
    content = bytearray(path.read_bytes())
    content[45:50] = b"\xff" * 5
    path.write_bytes(content)
    found, funnel = read(path)
    assert found == {"2.patch": b"y"}
    assert funnel.lost == {"cannot be unpacked": 1}


def test_bombs_are_refused_quickly(tmp_path, monkeypatch):
    monkeypatch.setattr(packed, "FREE_OF_RATIO", 1 << 20)
    started = time.monotonic()
    bomb = tmp_path / "bomb.tar.gz"
    entry = tarfile.TarInfo("x.patch")
    entry.size = 10 << 30
    with gzip.open(bomb, "wb", compresslevel=1) as file:
        file.write(entry.tobuf())
        file.write(bytes(1 << 20))
    with pytest.raises(UserError, match="unpacks to more than 2 GiB; unpack it yourself"):
        read(bomb)
    path = tar(tmp_path / "ratio.tar.gz", ("x.patch", bytes(2 << 20)))
    with pytest.raises(UserError, match="unpacks to more than 200 times its size"):
        read(path)
    with pytest.raises(UserError, match="unpacks to more than 200 times its size"):
        read(zipped(tmp_path / "ratio.zip", ("x.patch", bytes(2 << 20))))
    assert time.monotonic() - started < 5


def test_too_many_files_are_refused(tmp_path, monkeypatch):
    path = zipped(tmp_path / "many.zip", ("1.patch", b"x"))
    content = bytearray(path.read_bytes())
    end = content.rindex(b"PK\x05\x06")
    content[end + 8 : end + 12] = b"\xff" * 4
    path.write_bytes(content)
    with pytest.raises(UserError, match="holds more than 65,534 files, or 4 GiB"):
        read(path)
    content[end + 8 : end + 12] = b"\x01\x00" * 2
    content[end + 12 : end + 16] = (33 << 20).to_bytes(4, "little")
    path.write_bytes(content)
    with pytest.raises(UserError, match="has a list of files of more than 8 MiB"):
        read(path)
    monkeypatch.setattr(packed, "MOST_FILES", 1000)
    (tmp_path / "many.tar").write_bytes(tarfile.TarInfo("x").tobuf() * 1001)
    with pytest.raises(UserError, match="holds more than 1,000 files"):
        read(tmp_path / "many.tar")


PAX, GLOBAL, LONG_NAME = b"x", b"g", b"L"  # kinds of heads of POSIX's pax and of GNU's tar


def head(kind, content):
    entry = tarfile.TarInfo("head")
    entry.type, entry.size = kind, len(content)
    return entry.tobuf(tarfile.USTAR_FORMAT) + content + bytes(-len(content) % 512)


@pytest.mark.parametrize("name", ["a.tar.gz", "a.tar"])
@pytest.mark.parametrize("kind", [PAX, GLOBAL, LONG_NAME])
def test_long_heads_of_a_tar_are_refused_before_they_are_read(tmp_path, name, kind):
    text = b"comment=" + b"a" * (30 << 20)
    content = head(kind, b"%d %s\n" % (len(text) + 10, text)) + bytes(1024)
    (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith("gz") else content)
    tracemalloc.start()
    with pytest.raises(UserError, match="says more than 1 MiB about one file; unpack it yourself"):
        read(tmp_path / name)
    assert tracemalloc.get_traced_memory()[1] < 8 << 20
    tracemalloc.stop()


def test_heads_before_each_file_are_forgotten(tmp_path):
    def record(key):
        text = b" %06d=%s\n" % (key, b"v" * 1000)
        return b"%d%s" % (len(text) + 4, text)

    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for number in range(30):
            buffer.write(head(GLOBAL, b"".join(record(1000 * number + key) for key in range(500))))
            entry = tarfile.TarInfo(f"{number}.patch")
            entry.size = 1
            archive.addfile(entry, io.BytesIO(b"a"))
    (tmp_path / "a.tar").write_bytes(buffer.getvalue())
    tracemalloc.start()
    files, _ = read(tmp_path / "a.tar")
    assert len(files) == 30
    assert tracemalloc.get_traced_memory()[1] < 8 << 20
    tracemalloc.stop()


def test_very_many_heads_of_one_file(tmp_path):
    (tmp_path / "a.tar").write_bytes(head(LONG_NAME, b"b") * 900 + bytes(1024))
    with pytest.raises(UserError, match="damaged or cut off"):
        read(tmp_path / "a.tar")


def test_a_zip_that_states_fewer_files_than_it_lists(tmp_path, monkeypatch):
    zipped(tmp_path / "a.zip", *((f"{number}.patch", b"a") for number in range(3)))
    content = bytearray((tmp_path / "a.zip").read_bytes())
    content[-14:-10] = bytes((1, 0, 1, 0))
    (tmp_path / "a.zip").write_bytes(content)
    monkeypatch.setattr(packed, "MOST_FILES", 2)
    with pytest.raises(UserError, match="holds more than 2 files"):
        read(tmp_path / "a.zip")


@pytest.mark.parametrize("method", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_methods_that_may_ask_for_much_memory_are_refused(tmp_path, method):
    with zipfile.ZipFile(tmp_path / "a.zip", "w", method) as archive:
        archive.writestr("a.patch", "a" * 1000)
    files, funnel = read(tmp_path / "a.zip")
    assert (files, funnel.lost) == ({}, {"is packed by another method than deflate": 1})


def test_a_folder_that_cannot_be_read_is_counted(tmp_path):
    (tmp_path / "a.patch").write_text("a")
    here = os.open(tmp_path, os.O_RDONLY)
    try:
        for _ in range(25):  # longer than a path can be
            os.mkdir("f" * 200, dir_fd=here)
            inner = os.open("f" * 200, os.O_RDONLY, dir_fd=here)
            os.close(here)
            here = inner
    finally:
        os.close(here)
    found, funnel = read(tmp_path)
    assert (list(found), funnel.source) == (["a.patch"], 2)
    assert funnel.lost == {"a folder cannot be read: File name too long": 1}
    shutil.rmtree(tmp_path)
