"""The suites of weaknesses: pairs without what tells their label, two rounds, and files that give nothing."""

from __future__ import annotations

import json
import re
import tarfile
from collections import Counter

import pytest

from engine.builders import Funnel
from engine.builders.juliet import Juliet
from engine.builders.sven import Sven
from engine.builders.telltale import named_as, neutral_name, without_telltales
from engine.builders.weaknesses import cwe_of, described
from engine.errors import UserError
from engine.languages.source import Source
from engine.plugins import REPRESENTATIONS

LABEL = re.compile(r"good|bad|flaw|fix|benign|incident|vuln|CWE", re.IGNORECASE)
CASE = """/* TEMPLATE GENERATED TESTCASE FILE
Filename: NAME.java
Template File: point-flaw-17.tmpl.java
*/
package testcases.CWE476_NULL_Pointer_Dereference;

public class NAME extends AbstractTestCase
{
    private int badCount = 0;

    public void bad() throws Throwable
    {
        String data = null;
        badSink(data); /* POTENTIAL FLAW */
    }

    private void badSink(String data) throws Throwable
    {
        badCount++;
        /* POTENTIAL FLAW: null */
        IO.writeLine("bad: " + data.TYPE());
    }

    private void goodB2G1() throws Throwable
    {
        String data = null;
        goodB2G1Sink(data);
    }

    private int goodB2G1Count = 0;

    private void goodB2G1Sink(String data) throws Throwable
    {
        goodB2G1Count++;
        /* FIX: a check */
        if (data != null)
        {
            IO.writeLine("good: " + data.TYPE());
        }
    }

    private void goodG2B() throws Throwable
    {
        String data = "This is not null";
        goodG2BSink(data);
    }

    private void goodG2BSink(String data) throws Throwable
    {
        IO.writeLine("good: " + data.TYPE());
    }

    public void good() throws Throwable
    {
        goodB2G1();
        goodG2B();
    }
}
"""


def case(name="CWE476_NULL_Pointer_Dereference__String_45", kind="length"):
    return CASE.replace("NAME", name).replace("TYPE", kind)


@pytest.fixture
def suite(tmp_path):
    folder = tmp_path / "juliet"
    folder.mkdir()
    for name, kind in (("String_01", "length"), ("String_02", "length"), ("Integer_01", "intValue")):
        name = f"CWE476_NULL_Pointer_Dereference__{name}"
        (folder / f"{name}.java").write_text(case(name, kind))
    return folder


def read(builder):
    funnel = Funnel()
    builder.check()
    bugs = list(builder.stream(0, funnel))
    assert funnel.source == len(bugs) + sum(funnel.lost.values())
    return bugs, funnel


def juliet(path, **settings):
    return read(Juliet(Juliet.Params(path=str(path), **settings)))


def test_the_method_that_differs_is_the_bug(suite):
    bugs, _ = juliet(suite)
    bug = bugs[1]
    assert (bug.id, bug.cwe, bug.kind) == ("juliet/CWE476_NULL_Pointer_Dereference__String_01", "CWE-476", "CWE-476")
    assert {bug.project for bug in bugs} == {"juliet/CWE-476/point-flaw"}
    assert bug.buggy == (
        'public void partSink(String data) throws Throwable\n{\n    partCount++;\n    IO.writeLine("" + data.length());\n}\n'
    )
    assert bug.fixed_lines == '    if (data != null)\n    {\n        IO.writeLine("" + data.length());\n    }\n'
    assert bug.notes == ()


def test_nothing_tells_the_label():
    read_ = Source(case(), "java")
    for function in read_.functions:
        assert not LABEL.search(without_telltales(read_.bare_function(function)))
    assert neutral_name("dataGoodG2B") == neutral_name("dataBad") == "dataPart" != neutral_name("data")
    assert neutral_name("goodB2G2PublicStatic") == neutral_name("badPublicStatic")
    assert neutral_name("CWE476_NULL_Pointer_Dereference__String_45") == "Sample"


def test_a_loop_of_the_repair_counts_with_the_variable_of_the_fault():
    faulty = "void part()\n{\n    for (int j = 0; j < 1; j++)\n    {\n        use(data);\n    }\n}\n"
    repaired = faulty.replace("j", "k").replace("use", "if (data != null) use")
    assert named_as(repaired, faulty) == faulty.replace("use", "if (data != null) use")
    for other in (faulty.replace("j = 0", "j = 1"), faulty.replace("use(data)", "use(k)"), "void part() {}\n"):
        assert named_as(repaired, other) == repaired, "another variable"
    assert named_as(repaired.replace("data)", "j)"), faulty) == repaired.replace("data)", "j)"), "taken"


def test_the_second_round_names_the_weakness_and_shows_good_code(suite):
    for settings, n_examples in (({}, 0), ({"examples": 2}, 1)):
        for bug in juliet(suite, category="given", **settings)[0]:
            assert bug.notes[0] == "CWE-476: NULL Pointer Dereference: a pointer or reference is used that may be null"
            assert bug.notes.count("code without this weakness:") == n_examples  # none of the same copies
            assert "".join(bug.fixed_lines.split()) not in "".join("".join(bug.notes).split())
    assert juliet(suite, examples=2)[0][0].notes == ()


@pytest.mark.parametrize("name", REPRESENTATIONS.names())
def test_every_representation_shows_what_is_told(suite, name):
    representation = REPRESENTATIONS.create(REPRESENTATIONS.params(name))
    told, hidden = (juliet(suite, category=category)[0][0] for category in ("given", "hidden"))
    prompts = [str(representation.encode(bug, bug.notes).prompt) for bug in (told, hidden)]
    assert [("CWE-476: NULL" in prompt) for prompt in prompts] == [True, False]


def test_files_that_give_nothing_are_counted(suite):
    name = "CWE476_NULL_Pointer_Dereference__x_{}.java"
    write = {
        "IO.java": "class IO { void write() {} }",
        name.format("empty"): "",
        name.format("class"): "class A { int a; }",
        "Other.java": case(),
        name.format("only"): case()[: case().index("    private void goodB2G1()")] + "}\n",
        name.format(
            "same"
        ): "class A { void bad() { a(badB); } void good1() { a(goodB2GB); } void good() { good1(); } }",
        name.format("syntax"): case().replace("badCount++;", "badCount++ ((;"),
        name.format("two"): case().replace("String data = null;\n        goodB2G1", "int data = 1;\n        goodB2G1"),
    }
    for path, text in write.items():
        (suite / path).write_text(text)
    (suite / name.format("latin")).write_bytes(b"\xe4")
    (suite / name.format("long")).write_text(case() + " " * (256 << 10))
    bugs, funnel = juliet(suite)
    assert funnel.lost == {
        "has no method bad()": 3,
        "its file is not named after a weakness": 1,
        "not UTF-8": 1,
        "longer than 256 KiB": 1,
        "has no good method beside bad()": 1,
        "a method has a syntax error": 1,
        "bad and good are the same but for telltale names": 1,
        "more than one method differs": 1,
    }
    assert len(bugs) == 3


def test_crlf_stays_and_archives_are_read(suite, tmp_path):
    path = next(suite.iterdir())
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    with tarfile.open(tmp_path / "x.tar.gz", "w:gz") as archive:
        archive.add(path, path.name)
    (bug,), _ = juliet(tmp_path / "x.tar.gz")
    assert bug.is_crlf


def test_sources_that_cannot_be_used(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("x")
    for path, said in (
        ("", "no path is named"),
        (tmp_path / "none", "does not exist"),
        (tmp_path / "file", "no archive"),
    ):
        with pytest.raises(UserError, match=said):
            juliet(path)
    with pytest.raises(UserError, match=r"there is no .java file in"):
        juliet(tmp_path / "empty")
    for folder, said in (
        ("", "no folder is named"),
        (tmp_path / "none", "there is no folder"),
        (tmp_path / "empty", "there is no train/cwe"),
    ):
        with pytest.raises(UserError, match=said):
            read(Sven(Sven.Params(folder=str(folder))))


BEFORE, AFTER = "def f(a):\n    run(a)\n", "def f(a):\n    run([a])\n"


def test_sven(tmp_path):
    link = "github.com/one/two/commit/7c66"
    rows = [
        {"func_src_before": BEFORE, "func_src_after": AFTER, "file_name": "a/b.py"},
        {"func_src_before": BEFORE, "func_src_after": BEFORE, "file_name": "b.py"},
        {"func_src_before": "int f();", "func_src_after": "int g();", "file_name": "b.RB"},
        {"func_src_before": None, "func_src_after": "int g();", "file_name": "b.c"},
    ]
    for part in ("train", "val"):
        (tmp_path / "sven" / part).mkdir(parents=True)
        lines = (json.dumps(row | {"vul_type": "cwe-078", "commit_link": link}) + "\n" for row in rows)
        (tmp_path / "sven" / part / "cwe-078.jsonl").write_text("".join(lines))
    (bug,), funnel = read(Sven(Sven.Params(folder=str(tmp_path), category="given", examples=1)))
    assert (bug.id, bug.project, bug.cwe, bug.path) == ("sven/train/cwe-078:1", "one/two", "CWE-78", "a/b.py")
    assert bug.notes == (
        "CWE-78: OS Command Injection: outside input becomes part of a command of the operating system",
    )
    assert funnel.lost == {
        "buggy and fixed are the same": 1,
        "is in a language not known here (.rb)": 1,
        "a cell is not text": 1,
    }
    assert len(read(Sven(Sven.Params(folder=str(tmp_path), part="both")))[0]) == 2


def test_weaknesses_by_name():
    assert [cwe_of(text) for text in ("cwe-022", "CWE476_NULL", "CWE_89", "none")] == [
        "CWE-22",
        "CWE-476",
        "CWE-89",
        "",
    ]
    assert described("CWE-99999", "Other Weakness") == "CWE-99999: Other Weakness"
    assert described("CWE-99999") == "CWE-99999"


def test_the_juliet_suite(shared_data):
    bugs, funnel = juliet(shared_data / "juliet-java", category="given", examples=3)
    assert (len(bugs), funnel.source) == (116, 119)
    assert Counter(bug.cwe for bug in bugs) == {f"CWE-{n}": 25 for n in (190, 193, 369, 476)} | {"CWE-481": 16}
    assert len({bug.project for bug in bugs}) == 6
    assert all(bug.notes[0].startswith(f"{bug.cwe}: ") for bug in bugs)
    told = [bug.id for bug in bugs if LABEL.search(bug.buggy + bug.fixed + bug.path + "".join(bug.notes[2:]))]
    assert told == []
    declared = re.compile(r"\b(?:int|long|short|byte|float|String|boolean) (\w+) ?[=;]")
    assert all({*declared.findall(bug.buggy)} >= {*declared.findall(bug.fixed)} for bug in bugs), (
        "names of one side alone"
    )


def test_sven_itself(shared_data):
    bugs, funnel = read(Sven(Sven.Params(folder=str(shared_data / "sven"), part="both")))
    assert (len(bugs), funnel.source) == (742, 803)
    assert Counter(bug.language for bug in bugs) == {"python": 380, "c": 362}
    of_python = Counter(bug.cwe for bug in bugs if bug.language == "python")
    assert of_python == {"CWE-89": 204, "CWE-78": 102, "CWE-79": 41, "CWE-22": 33}
