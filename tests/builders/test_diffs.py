"""Diffs: which become bugs, from which places, and what is said of the others."""

from __future__ import annotations

import json
import tarfile
from collections import Counter
from difflib import unified_diff

import pytest

from engine.builders import Funnel
from engine.builders.diffs import Diffs
from engine.domain import Bug
from engine.errors import UserError

CLASS = """package a;

public class A {{
    private int n;

    /** The first. */
    public int first(int a) {{
        int b = a {0} 1;
        // so
        return b;
    }}

    public int second(int a) {{
        int b = a {1} 1;
        int c = b;
        int d = c;
        int e = d;
        int f = e;
        int g = f;
        int h = g;
        int i = h;
        return i {2} 2;
    }}
}}
"""
FIXED = CLASS.format("+", "+", "*")
FIRST, SECOND = CLASS.format("-", "+", "*"), CLASS.format("+", "-", "/")


def diff(old, new, name="src/A.java", n=3):
    pieces = unified_diff(old.splitlines(keepends=True), new.splitlines(keepends=True), f"a/{name}", f"b/{name}", n=n)
    return "".join(pieces)


def read(path, **settings):
    funnel = Funnel()
    builder = Diffs(Diffs.Params(path=str(path), **settings))
    builder.check()
    bugs = list(builder.stream(0, funnel))
    assert funnel.source == len(bugs) + sum(funnel.lost.values())
    return bugs, funnel


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "patches"
    (folder / "p").mkdir(parents=True)
    (folder / "p" / "1.patch").write_text(diff(FIRST, FIXED, n=8))
    (folder / "p" / "2.diff").write_text(diff(SECOND, FIXED))
    return folder


def test_a_function_in_the_context_of_a_diff(folder):
    bugs, funnel = read(folder)
    (bug,) = bugs
    assert (bug.id, bug.project, bug.path, bug.language, bug.kind) == ("p/1", "p", "src/A.java", "java", "single chunk")
    assert bug.buggy.startswith("    public int first(int a) {\n        int b = a - 1;\n        // so\n")
    assert bug.fixed == bug.buggy.replace("a - 1", "a + 1")
    assert bug.is_function
    assert funnel.lost == {"lines between its changes are not in the diff": 1}
    assert funnel.examples == {next(iter(funnel.lost)): "p/2"}


def test_diffs_that_lead_from_fixed_to_faulty(tmp_path):
    (tmp_path / "1.patch").write_text(diff(FIXED, FIRST, n=8))
    (bug,), _ = read(tmp_path, reverse=True)
    assert "a - 1" in bug.buggy
    assert "a + 1" in bug.fixed


@pytest.mark.parametrize("version", [FIXED, SECOND])
def test_a_function_from_a_source_folder(folder, tmp_path, version):
    source = tmp_path / "checkout" / "src" / "A.java"
    source.parent.mkdir(parents=True)
    source.write_text("// moved down\n\n" + version)
    bugs, funnel = read(folder, sources=str(tmp_path / "checkout"))
    bug = bugs[1]
    assert (bug.id, bug.kind, funnel.lost) == ("p/2", "several chunks", {})
    assert bug.buggy == SECOND[SECOND.index("    public int second") : SECOND.rindex("}")]
    assert bug.fixed == FIXED[FIXED.index("    public int second") : FIXED.rindex("}")]
    assert len(read(folder, sources=str(tmp_path / "checkout"), single_chunk=True)[0]) == 1


def test_a_source_folder_for_each_diff(folder, tmp_path):
    source = tmp_path / "checkouts" / "p" / "2" / "src" / "A.java"
    source.parent.mkdir(parents=True)
    source.write_text(SECOND)
    bugs, _ = read(folder, sources=str(tmp_path / "checkouts"))
    assert [bug.id for bug in bugs] == ["p/1", "p/2"]


def test_an_unnamed_file_of_c(tmp_path):
    code = "\nint f(int a)\n{\n    return a - 1;\n}\n"
    body = diff(code, code.replace("-", "+")).partition("+++")[2].partition("\n")[2]
    (tmp_path / "a.patch").write_text(body)
    (bug,), _ = read(tmp_path, language="c")
    assert (bug.language, bug.buggy) == ("c", code[1:])


def test_what_a_source_folder_does_not_give(tmp_path):
    (tmp_path / "patches").mkdir()
    for name, file in (("a", "src/A.java"), ("b", "src/B.java"), ("c", "../C.java"), ("d", "D.java"), ("e", "E.java")):
        (tmp_path / "patches" / f"{name}.patch").write_text(diff(SECOND, FIXED, file))
    source = tmp_path / "checkout" / "src"
    source.mkdir(parents=True)
    (source / "A.java").write_text(SECOND.replace("int g = f;", "int g = f + f;"))
    (tmp_path / "C.java").write_text(SECOND)
    (source.parent / "D.java").symlink_to(tmp_path / "C.java")
    (source.parent / "E.java").write_bytes(b"\xff" + SECOND.encode())
    _, funnel = read(tmp_path / "patches", sources=str(tmp_path / "checkout"))
    assert funnel.lost == {
        "the diff does not fit its file in the source folder": 1,
        "its file is not in the source folder": 3,
        "its file in the source folder is not UTF-8": 1,
    }


REASONS = {
    "nothing": ("no words of a diff\n", "no unified diff in it"),
    "cut": (diff(FIRST, FIXED, n=8)[:200], "a hunk has not as many lines as its header says"),
    "text": (diff("a\n", "b\n", "notes.txt"), "changes no Python, Java or C file"),
    "two": (diff(FIRST, FIXED) + diff(FIRST, FIXED, "src/B.java"), "changes several files"),
    "added": ("--- /dev/null\n+++ b/x.py\n@@ -0,0 +1 @@\n+x = 1\n", "adds or deletes a whole file"),
    "renamed": ("diff --git a/x.py b/y.py\nrename from x.py\nrename to y.py\n", "changes no Python, Java or C file"),
    "mode": ("--- a/x.py\n+++ b/x.py\n", "changes no line"),
    "comment": (diff(FIRST, FIRST.replace("// so", "// thus"), n=8), "only comments or blank lines differ"),
    "wrong": (diff(FIRST.replace("return b;", "return (b;"), FIXED, n=8), "its function is not whole in the diff"),
    "field": (diff(FIRST, FIRST.replace("int n", "long n")), "its function is not whole in the diff"),
    "long": (
        diff(FIRST, FIXED, n=8).replace("// so", "//" + " so" * 100_000),
        "shows more than 262,144 characters at once",
    ),
    "bytes": (b"--- a/x.py\n+++ b/x.py\n@@ -1 +1 @@\n-\xe4\n+x\n", "not UTF-8"),
}


@pytest.mark.parametrize("name", REASONS)
def test_every_other_diff_is_counted_with_a_reason(tmp_path, name):
    text, reason = REASONS[name]
    (tmp_path / f"{name}.patch").write_bytes(text if isinstance(text, bytes) else text.encode())
    bugs, funnel = read(tmp_path)
    assert (bugs, funnel.lost, funnel.examples) == ([], {reason: 1}, {reason: name})


def test_tests_beside_other_code_do_not_count(tmp_path):
    both = diff(FIRST, FIXED, n=8) + diff("x = 1\n", "x = 2\n", "tests/test_a.py") + diff("a\n", "b\n", "CHANGES.txt")
    (tmp_path / "1.patch").write_text(both)
    assert [bug.path for bug in read(tmp_path)[0]] == ["src/A.java"]


def test_line_ends_and_tabs_stay_as_they_are(tmp_path):
    old, new = (each.replace("    ", "\t").replace("\n", "\r\n") for each in (FIRST, FIXED))
    (tmp_path / "1.patch").write_bytes(diff(old, new, n=8).encode("utf-8-sig"))
    (bug,), _ = read(tmp_path)  # the byte order mark is none of it
    assert bug.buggy.startswith("\tpublic int first(int a) {\r\n\t\tint b = a - 1;\r\n")
    assert bug.is_crlf


def test_comments_are_removed_if_asked(folder):
    assert "// so" not in read(folder, strip=True)[0][0].buggy


def test_one_file_and_archives(folder, tmp_path):
    assert [bug.id for bug in read(folder / "p" / "1.patch")[0]] == ["1"]
    with tarfile.open(tmp_path / "x.tar.gz", "w:gz") as archive:
        archive.add(folder / "p", "p")
    assert [bug.id for bug in read(tmp_path / "x.tar.gz")[0]] == ["p/1"]


def rows():
    first = FIRST[FIRST.index("    public int first") : FIRST.index("    public int second")]
    pair = {"buggy_function": first, "fixed_function": first.replace("a - 1", "a + 1")}
    flags = {"is_single_chunk": True, "is_single_function": True}
    return [
        {"diff": diff(FIRST, FIXED), **flags, **pair},  # the function is in no context, but in its column
        {"diff": diff(SECOND, FIXED), **flags, **pair},  # two chunks
        {"diff": diff(FIRST, FIXED, n=8), **flags, "buggy_function": None, "fixed_function": None},
        {"diff": diff(FIRST, FIXED), **flags, **pair, "is_single_function": False},
        {"diff": "", **flags, **pair},
        {"diff": "nothing", **flags, **pair},
    ]


@pytest.mark.parametrize("ending", ["jsonl", "parquet"])
def test_a_table_of_megadiff(tmp_path, ending):
    for shard in range(2):
        path = tmp_path / f"train-{shard}.{ending}"
        if ending == "parquet":
            import pyarrow
            from pyarrow import parquet

            parquet.write_table(pyarrow.Table.from_pylist(rows()), path)
        else:
            path.write_text("".join(json.dumps(row) + "\n" for row in rows()))
    (tmp_path / "README.md").write_text("no table")
    bugs, funnel = read(tmp_path)
    assert [bug.id for bug in bugs] == [f"train-{shard}:{row}" for shard in range(2) for row in (1, 2, 3)]
    assert Counter(bug.kind for bug in bugs) == {"single chunk": 4, "several chunks": 2}
    assert funnel.lost == {"changes more than one function": 2, "empty diff": 2, "no unified diff in it": 2}
    assert bugs[0].path == "src/A.java"
    bugs, funnel = read(tmp_path, single_chunk=True)
    assert [bug.id[6:] for bug in bugs] == ["0:1", "0:3", "1:1", "1:3"]
    assert funnel.lost["changes more than one chunk"] == 2
    builder = Diffs(Diffs.Params(path=str(tmp_path)))
    assert [choices[:1] for choices in builder.choices().values()] == [
        ["diff"],
        ["buggy_function"],
        ["fixed_function"],
        [""],
    ]
    assert builder.total() == (12 if ending == "parquet" else None)


def test_a_column_of_diffs_of_unnamed_files(tmp_path):
    bare = diff(FIRST, FIXED, n=8)
    bare = bare[bare.index("@@") :]
    path = tmp_path / "x.jsonl"
    path.write_text(json.dumps({"patch": bare, "repo": "r"}) + "\n")
    assert read(path, diff="patch")[1].lost == {"no file is named before a hunk": 1}
    (bug,), _ = read(path, diff="patch", language="java", project="repo")
    assert (bug.path, bug.project) == ("unnamed.java", "r")


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda path: path.mkdir(), "there is no .patch or .diff file and no table in"),
        (lambda path: None, "there is no folder or file"),
        (lambda path: path.write_text("x"), "is neither an archive .* nor a table"),
    ],
)
def test_sources_that_cannot_be_used(tmp_path, make, said):
    make(tmp_path / "x")
    with pytest.raises(UserError, match=said):
        read(tmp_path / "x")


def test_settings_that_cannot_be_used(folder, tmp_path):
    with pytest.raises(UserError, match="no path is named"):
        Diffs(Diffs.Params()).check()
    with pytest.raises(UserError, match="there is no folder .*name a checkout"):
        read(folder, sources=str(tmp_path / "no"))
    (tmp_path / "x.jsonl").write_text('{"a": 1}\n')
    with pytest.raises(UserError, match="x.jsonl has no column 'diff'; its columns are: a"):
        read(tmp_path / "x.jsonl")
    with tarfile.open(tmp_path / "x.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "x.jsonl", "x.jsonl")
    with pytest.raises(UserError, match=r"no .patch or .diff file in"):
        read(tmp_path / "x.tar.gz")


def test_a_huge_line_takes_no_memory(tmp_path):
    """Sparse: 2 GB that are not on the disk."""
    (tmp_path / "ok.patch").write_text(diff(FIRST, FIXED, n=8))
    with (tmp_path / "line.patch").open("wb") as file:
        file.truncate(2 << 30)
    bugs, funnel = read(tmp_path)
    assert (len(bugs), funnel.lost) == (1, {"longer than 4 MiB": 1})


def test_all_patches_of_defects4j_are_accounted_for(shared_data):
    bugs, funnel = read(shared_data / "defects4j", reverse=True)
    assert (funnel.source, len(bugs)) == (864, 55)
    assert funnel.lost == {
        "its function is not whole in the diff": 425,
        "changes several files": 128,
        "lines between its changes are not in the diff": 255,
        "not UTF-8": 1,
    }
    by_id = {bug.id: bug for bug in bugs}
    csv = by_id["Csv-4"]
    assert (csv.project, csv.path) == ("Csv", "src/main/java/org/apache/commons/csv/CSVParser.java")
    assert csv.buggy == (
        "    public Map<String, Integer> getHeaderMap() {\n"
        "        return new LinkedHashMap<String, Integer>(this.headerMap);\n"
        "    }\n"
    )
    assert csv.fixed_lines == (
        "        return this.headerMap == null ? null : new LinkedHashMap<String, Integer>(this.headerMap);\n"
    )
    assert Counter(bug.kind for bug in bugs) == {"single chunk": 41, "several chunks": 14}
    assert all(isinstance(bug, Bug) and bug.fix_is_in_span for bug in bugs)
