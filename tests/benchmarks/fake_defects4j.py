"""A program that answers as Defects4J's command line does, with two tiny projects that it really compiles and tests."""

from __future__ import annotations

PROGRAM = r"""#!/usr/bin/python3
import os, shutil, subprocess, sys
from pathlib import Path

HOME = Path(os.path.realpath(__file__)).parents[2]
PROJECTS = HOME / "framework/projects"
word, *rest = sys.argv[1:]
given = dict(zip(rest[::2], rest[1::2]))
here = Path(given.get("-w", "."))


def java(tool, *words):
    return subprocess.run([Path(os.environ["JAVA_HOME"], "bin", tool), *words], capture_output=True, text=True)


def config():
    return dict(line.split("=", 1) for line in (here / ".defects4j.config").read_text().splitlines())


if word == "pids":
    print(*sorted(path.name for path in PROJECTS.iterdir()), sep="\n")
elif word == "bids":
    print(*sorted({path.name[:-1] for path in (PROJECTS / given["-p"]).iterdir()}), sep="\n")
elif word == "checkout":
    source = PROJECTS / given["-p"] / given["-v"]
    if not source.is_dir():
        sys.exit(f"no such version: {given['-v']}")
    shutil.copytree(source, here)
    (here / ".git").mkdir()
    (here / ".git/fix").write_text("the fix")
elif word == "export":
    print(config()[given["-p"]].replace(",", "\n"), end="")
elif word == "compile":
    if (here / ".git").exists():
        sys.exit("the history is here")
    done = java("javac", "-encoding", "ISO-8859-1", "-d", "build", *map(str, Path(".").rglob("*.java")))
    sys.stderr.write(done.stderr)
    sys.exit(done.returncode)
elif word == "test":
    tests = [given["-t"]] if "-t" in given else config()["tests.all"].split(",")
    failed = [test for test in tests if java("java", "-cp", "build", "Runner", *test.split("::")).returncode]
    print(f"Failing tests: {len(failed)}", *(f"  - {test}" for test in failed), sep="\n")
"""
RUNNER = """
public class Runner {
    public static void main(String[] words) throws Exception {
        Class.forName(words[0]).getMethod(words[1]).invoke(null);
    }
}
"""
CALC = """package org.calc;

// gr\u00f6\u00dfe
public class Calc {
    public static int half(int n) {
        return n {};
    }

    public static int same(int n) {
        return n;
    }
}
"""
CALC_TESTS = """package org.calc;

public class CalcTest {
    public static void halves() { if (Calc.half(4) != 2) throw new AssertionError("half of 4"); }
    public static void keeps() { if (Calc.same(4) != 4) throw new AssertionError("4"); }
}
"""
PAIR = "package two;\n\npublic class {0} {{\n    public static int of() {{ return {1}; }}\n}}\n"
PAIR_TESTS = "package two;\n\npublic class PairTest {\n    public static void adds() { if (One.of() + Two.of() != 3) throw new AssertionError(); }\n}\n"
CONFIG = "dir.src.classes={}\nclasses.modified={}\ntests.trigger={}\ntests.all={}\n"


def write(home):
    """Write the program and its projects below `home`; returns the program's path."""
    projects = home / "framework/projects"
    for version, half, number in (("b", "- 1", 0), ("f", "/ 2", 1)):
        files = {
            f"Calc/1{version}/.defects4j.config": CONFIG.format(
                "source",
                "org.calc.Calc",
                "org.calc.CalcTest::halves",
                "org.calc.CalcTest::halves,org.calc.CalcTest::keeps",
            ),
            f"Calc/1{version}/source/org/calc/Calc.java": CALC.replace("{}", half),
            f"Calc/1{version}/tests/org/calc/CalcTest.java": CALC_TESTS,
            f"Calc/1{version}/tests/Runner.java": RUNNER,
            f"Pair/7{version}/.defects4j.config": CONFIG.format(
                "src", "two.One,two.Two", "two.PairTest::adds", "two.PairTest::adds"
            ),
            f"Pair/7{version}/src/two/One.java": PAIR.format("One", number),
            f"Pair/7{version}/src/two/Two.java": PAIR.format("Two", 2 * number),
            f"Pair/7{version}/tests/two/PairTest.java": PAIR_TESTS,
            f"Pair/7{version}/tests/Runner.java": RUNNER,
        }
        for name, text in files.items():
            (projects / name).parent.mkdir(parents=True, exist_ok=True)
            (projects / name).write_bytes(text.encode("latin-1"))
    program = home / "framework/bin/defects4j"
    program.parent.mkdir(parents=True)
    program.write_text(PROGRAM)
    for path in [home, *home.rglob("*")]:
        path.chmod(0o755)
    return program
