"""Folders of numbered bugs: those of Defects4J and of BugsInPy name the project and the bug by their paths."""

from __future__ import annotations

from difflib import unified_diff

import pytest

from engine.builders import Funnel
from engine.builders.diffs import Diffs

CODE = "import os\n\n\ndef add(a, b):\n    return a {} b\n\n\nN = 1\n"


@pytest.mark.parametrize(
    ("path", "chosen", "reverse"),
    [
        ("projects/fast-api/bugs/12/bug_patch.txt", "", False),
        ("projects/fast-api/bugs/12/bug_patch.txt", "projects/fast-api", False),
        ("projects/fast-api/bugs/12/bug_patch.txt", "projects/fast-api/bugs/12", False),
        ("framework/projects/Lang/patches/12.src.patch", "", True),
        ("framework/projects/Lang/patches/12.src.patch", "framework/projects/Lang/patches", True),
    ],
)
def test_project_and_number_are_read_from_the_path(tmp_path, path, chosen, reverse):
    texts = [CODE.format(sign).splitlines(keepends=True) for sign in ("-+" if not reverse else "+-")]
    file = tmp_path / path
    file.parent.mkdir(parents=True)
    file.write_text("".join(unified_diff(*texts, "a/add.py", "b/add.py", n=9)))
    (file.parent / "bug.info").write_text('python_version = "3.8.3"')
    (file.parent / "12.test.txt").write_text("no diff")
    funnel = Funnel()
    (bug,) = Diffs(Diffs.Params(path=str(tmp_path / chosen), reverse=reverse)).stream(0, funnel)
    project = "Lang" if reverse else "fast-api"
    assert (bug.id, bug.project, bug.path) == (f"{project}-12", project, "add.py")
    assert (bug.buggy_lines, bug.fixed_lines) == ("    return a - b\n", "    return a + b\n")
    assert (funnel.source, funnel.lost) == (1, {})
