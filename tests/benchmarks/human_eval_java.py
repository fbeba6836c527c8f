"""A checkout of human-eval-java with three small programs of our own: two that use what a third file declares."""

from __future__ import annotations

PROGRAM = """package humaneval.{package};

/* Adds one. */
public class {name} {{
    public static int of(int x) {{
        {body}
    }}
}}
"""
TESTS = """package humaneval;

public class TEST_{name} {{
    @org.junit.Test(timeout = 3000)
    public void test_0() throws java.lang.Exception {{
        int result = humaneval.buggy.{name}.of(1);
        org.junit.Assert.assertEquals(result, 2);
    }}

    @org.junit.Test(timeout = 3000)
    public void test_1() throws java.lang.Exception {{
        org.junit.Assert.assertEquals(humaneval.buggy.{name}.of(-1), 0);
    }}
}}
"""
BODIES = {  # program -> the statement in its buggy and in its correct file
    "NEXT": ("return x - 1;", "return x + 1;"),
    "ADD_ONE": ("return Pair.sum(x, x);", "return Pair.sum(x, 1);"),
    "AGAIN": ("return new Counter(x).one;", "return new Counter(x).next;"),
    "SAME": ("return x + 1;", "return x + 1;"),
}
SHARED = "\nclass Counter {\n    int one = 1, next;\n    Counter(int x) { next = Pair.sum(x, 1); }\n}\n"
PAIR = "package humaneval.{package};\n\nclass Pair {{\n    static int sum(int a, int b) {{ return a + b; }}\n}}\n"


def write(folder):
    """Write the checkout below `folder`."""
    for package, which in (("buggy", 0), ("correct", 1)):
        sources = folder / "src/main/java/humaneval" / package
        sources.mkdir(parents=True)
        for name, bodies in BODIES.items():
            text = PROGRAM.format(package=package, name=name, body=bodies[which])
            (sources / f"{name}.java").write_text(text + (SHARED if name == "NEXT" else ""))
        (sources / "Pair.java").write_text(PAIR.format(package=package))
        (sources / "BROKEN.java").write_text("this compiles nowhere")
    tests = folder / "src/test/java/humaneval"
    tests.mkdir(parents=True)
    for name in (*BODIES, "WITHOUT_A_PROGRAM"):
        (tests / f"TEST_{name}.java").write_text(TESTS.format(name=name))
    return folder
