from __future__ import annotations

import psutil
import pytest

from engine.main_memory import main_memory

GIB = 1 << 30


def group(root, name, **files):
    folder = root / name
    folder.mkdir(parents=True, exist_ok=True)
    for file, text in files.items():
        (folder / file.replace("_", ".", 1)).write_text(f"{text}\n")
    return folder


def test_without_a_limit_it_is_the_machines(tmp_path):
    found = main_memory(tmp_path, tmp_path / "none")
    assert found.total_bytes == psutil.virtual_memory().total
    assert 0 < found.free_bytes <= found.total_bytes
    assert found.used_bytes == found.total_bytes - found.free_bytes


def test_the_smallest_group_counts_and_what_it_could_drop_is_free(tmp_path):
    group(tmp_path, "user", memory_max=2 * GIB, memory_current=GIB)
    group(tmp_path, "user/job", memory_max="max", memory_current=GIB)
    stat = f"anon {GIB // 2}\ninactive_file {GIB // 4}"
    group(tmp_path, "user/job/run", memory_max=GIB, memory_current=GIB // 2, memory_stat=stat)
    (tmp_path / "own").write_text("0::/user/job/run\n")
    found = main_memory(tmp_path, tmp_path / "own")
    assert (found.total_bytes, found.free_bytes) == (GIB, GIB - GIB // 4)


def test_the_older_layout_of_groups_is_read_too(tmp_path):
    folder = tmp_path / "memory" / "docker"
    folder.mkdir(parents=True)
    (folder / "memory.limit_in_bytes").write_text(str(GIB))
    (folder / "memory.usage_in_bytes").write_text(str(GIB // 4))
    (tmp_path / "own").write_text("9:cpu:/docker\n4:memory:/docker\n")
    assert main_memory(tmp_path, tmp_path / "own").free_bytes == pytest.approx(GIB * 3 / 4)
