"""Each part of a context's chain does what S3 and Long Code Arena say, on examples computed by hand."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from engine.builders.composing import PARTS, Chunk, File, Target
from engine.builders.composing.chain import Chain, part_of
from engine.builders.composing.lengths import Lengths
from engine.builders.composing.recipes import parts_of, recipes
from engine.errors import UserError

CODE = '''"""What it is."""
import os

# says more
def f(a):
    return g(os.path.join(a, a))


class C:
    def m(self, b): return b
'''


@dataclass(frozen=True)
class Fake(File):
    path: str
    content: str | None

    def text(self):
        return self.content


TARGET = Target("me__shop", "src/a/here.py", "import src.b.far\nx = 1\n", Lengths())


def context(files, *parts, target=TARGET):
    """The whole context of these files (path -> text), as it stands above the completion file."""
    given = [Fake(path, text) for path, text in files.items()]
    return "".join(reversed([*Chain(parts).nearest_first(given, target, {})]))


def kept(part, files):
    return [path for path, text in files.items() if part_of(part).keeps(path, text, TARGET)]


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        ("null_file", []),
        ("inclusive_file_extension endings=.py|.md", ["a.py", "b.md"]),
        ("exclusive_file_extension endings=.py|.md", ["c.txt", "d.csv"]),
        ("empty_file", ["a.py", "c.txt", "d.csv"]),
        ("file_length min=1 max=5", ["a.py", "b.md"]),
        ("tokenized_file_length min=3 max=4", ["a.py"]),  # x = 1
        ("char_token_ratio min=2", ["b.md", "c.txt"]),  # characters and tokens: 5 / 3, 2 / 1, 20 / 2, 10 / 10
    ],
)
def test_a_filter_keeps(part, expected):
    files = {"a.py": "x = 1", "b.md": " \n", "c.txt": "characteristic words", "d.csv": "1,2,3,4,5;"}
    assert kept(part, files) == expected


def test_the_ratio_of_a_long_file_is_that_of_one_slice_whatever_the_completion_file():
    part = part_of("char_token_ratio min=2 slice=10")
    text = "abcdefghij" * 100
    assert part.keeps("a.py", text, TARGET)
    assert not part.keeps("a.py", "," * 1000, TARGET)


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        ("empty_lines_removal", "a\n  b"),
        ("declaration_only", "def f(a): ...\nclass C: ...\n    def m(self, b): ..."),
    ],
)
def test_a_preprocessor_changes(part, expected):
    text = "a\n\n  b\n \n" if part == "empty_lines_removal" else CODE
    assert part_of(part).changed("a.py", text) == expected


def test_declarations_of_java_and_of_no_language():
    part = part_of("declaration_only")
    java = "class A {\n  int m(int a) {\n    return a;\n  }\n}\n"
    assert part.changed("A.java", java) == "class A { ... }\n  int m(int a) { ... }"
    assert part.changed("a.txt", "def f(): 1") == "def f(): 1"
    assert part.changed("a.py", "@d\nasync def f(\n  a,\n) -> dict[str, int]:\n  pass\n") == (
        "async def f(\n  a,\n) -> dict[str, int]: ..."
    )


def chunks(part, path="a.py", text=CODE):
    return {chunk.part: chunk.text for chunk in part_of(part).chunks(path, text)}


def test_chunks_are_whole_files_or_kinds_of_text():
    assert chunks("file_grained") == {"": CODE}
    found = chunks("code_segment_grained")
    assert found == {
        "comments": "# says more",
        "docstrings": '"""What it is."""',
        "imports": "import os",
        "code": "def f(a):\n    return g(os.path.join(a, a))\n\n\nclass C:\n    def m(self, b): return b",
    }
    assert chunks("code_only") == {"code": found["code"]}
    assert chunks("code_segment_grained", "a.txt") == {"": CODE}
    assert chunks("code_only", "a.txt") == {}


def test_distance_is_folders_up_and_down():
    paths = ["src/a/near.py", "src/a/in/x.py", "src/b/x.py", "x.py", "lib/x.py"]
    assert part_of("negative_path_distance").ranks(paths, TARGET) == [0, -1, -2, -2, -3]


@pytest.mark.parametrize(
    ("path", "text", "calls"),
    [
        ("a.py", CODE, 2),
        ("A.java", "class A { void m() { f(g()); new B(); } }", 3),
        ("a.txt", "f(1)", 0),
        ("a.py", "", 0),
    ],
)
def test_calls_are_counted(path, text, calls):
    assert part_of("function_call").rank(Chunk(path, text)) == calls
    relative = calls / len(text) if text else 0
    assert part_of("function_call relative=true").rank(Chunk(path, text)) == pytest.approx(relative)


def test_groups_of_endings_names_lengths_and_imports_are_ranked():
    paths = ["a.json", "b.yml", "c.md", "d.py"]
    assert part_of("file_extension").ranks(paths, TARGET) == [0, 1, 3, -1]
    assert part_of("file_extension groups=.py;.json").ranks(paths, TARGET) == [1, -1, -1, 0]
    assert part_of("alphabetical").ranks(paths, TARGET) == paths
    assert part_of("shortest").rank(Chunk("a", "four")) == -4
    assert part_of("imported").ranks(["src/b/far.py", "src/b/other.py", "far.py"], TARGET) == [1, 0, 0]
    inner = Target("src", "a/here.py", "import src.b.far\n", Lengths())
    assert part_of("imported").ranks(["b/far.py", "far.py"], inner) == [1, 0], "the folder is a package"


def test_chance_is_the_same_for_a_seed_and_another_for_another():
    paths = ["a", "b", "c"]
    first, again, other = (part_of(f"random seed={seed}").ranks(paths, TARGET) for seed in (1, 1, 2))
    assert first == again != other


def test_the_best_is_nearest_and_of_equals_the_one_given_last():
    ranks = [(1, 5), (2, 1), (2, 0), (1, 5)]
    assert [*part_of("lexicographic").nearest_first(ranks)] == [1, 2, 3, 0]
    assert [*part_of("mixed").nearest_first(ranks)] == [1, 0, 2, 3]  # by the first, second, first, second ranker


def test_far_files_are_masked():
    files = {f"{name}.py": f"def {name}():\n    return 1" for name in "abcd"}
    chain = ("file_grained", "alphabetical", "lexicographic")
    half = context(files, *chain, "far_declarations whole=half", "joining")
    assert half == ("def a(): ...\n\ndef b(): ...\n\ndef c():\n    return 1\n\ndef d():\n    return 1")
    one = context(files, *chain, "far_declarations whole=one", "joining")
    assert one == "def a(): ...\n\ndef b(): ...\n\ndef c(): ...\n\ndef d():\n    return 1"
    three = {name: files[name] for name in ("a.py", "b.py", "c.py")}  # 0 and 1 of 3 are before the half
    assert context(three, *chain, "far_declarations", "joining").count("...") == 2


def test_chunks_are_joined_with_their_paths():
    files = {"a.py": "1\n", "b.py": "2"}
    assert context(files, "file_grained", "joining") == "1\n\n\n2"
    assert context(files, "file_grained", "joining blank=0") == "1\n\n2"
    assert context(files, "file_grained", "path_comment") == "# a.py\n1\n\n\n# b.py\n2"
    assert context(files, "file_grained", "path_comment mark=//") == "// a.py\n1\n\n\n// b.py\n2"


def test_lines_are_changed_as_in_the_whole_context():
    """S3 joins all chunks and then changes the lines; here they come chunk by chunk."""
    files = {"a.py": "  a\n\n   long line here\n", "b.py": "\n", "c.py": "    x = 1\n\n"}
    whole = context(files, "file_grained", "path_comment")
    for parts, change in (
        (["line_strip"], lambda lines: [line.strip() for line in lines]),
        (["line_length min=3 max=9"], lambda lines: [line for line in lines if 3 <= len(line) <= 9]),
        (["partial_memory dropout=0"], list),
        (["partial_memory dropout=1"], lambda lines: []),
    ):
        assert context(files, "file_grained", "path_comment", *parts) == "\n".join(change(whole.split("\n")))


def test_half_of_the_lines_are_forgotten():
    files = {"a.txt": "\n".join(map(str, range(1000)))}
    left = context(files, "file_grained", "joining", "partial_memory").split("\n")
    assert 400 < len(left) < 600
    assert left == sorted(left, key=int)
    assert left == context(files, "file_grained", "joining", "partial_memory").split("\n")


def test_a_line_that_stood_nearer_is_kept_less_often():
    files = {"a.txt": "\n".join(["same"] * 1000 + [str(n) for n in range(50)])}
    left = context(files, "file_grained", "joining", "inverse_frequency_memory").split("\n")
    assert 3 <= left.count("same") <= 20, "1 + 1/2 + 1/3 ... to 1/1000 is 7.5"
    assert len(left) - left.count("same") == 50


def test_the_completion_file_and_what_is_no_text_are_in_no_context():
    files = {"src/a/here.py": "secret", "b.bin": None, "c.py": "c"}
    assert context(files, "file_grained", "joining") == "c"
    assert context(files, "file_grained", "shortest", "lexicographic", "joining") == "c"


def test_files_are_only_read_as_they_are_needed():
    read = []

    class Noted(Fake):
        def text(self):
            read.append(self.path)
            return super().text()

    files = [Noted(f"src/a/{n:04}.py", "x") for n in range(1000)]
    nearer = Chain(parts_of("standard")).nearest_first(files, TARGET, {})
    assert next(nearer) == "# src/a/0999.py\nx"
    assert read == ["src/a/0999.py"]
    ranks: dict = {}
    for _ in range(3):
        next(Chain(parts_of("pure_func_calls")).nearest_first(files, TARGET, ranks))
    assert len(read) == 1 + 1000 + 3, "once for their ranks, whatever the number of completion files"


@pytest.mark.parametrize("name", recipes())
def test_every_recipe_is_a_chain(name):
    files = {"src/a/b.py": CODE, "README.md": "Words of some length.\n", "src/c.json": "{}"}
    made = context(files, *parts_of(name))
    assert bool(made) is (name not in ("empty", "none")), made


def test_the_recipes_of_the_systems_are_there():
    s3 = (
        "standard python_files grouped_text_files half_memory strip empty pure_func_calls func_calls_with_strip "
        "most_absolute_callable most_relative_callable nearest_declarations random_declarations "
        "low_tokens_ratio_filtering medium_lines no_long_files no_long_files_with_half_memory"
    )
    arena = (
        "none naive alphabetical path_distance file_length naive_half_memory function_class_mask_half "
        "function_class_mask_one imports_first"
    )
    assert {*s3.split(), *arena.split()} <= {*recipes()}
    with pytest.raises(UserError, match="none called 'nope'; choose one of: standard"):
        parts_of("nope")


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        (["nope", "file_grained", "joining"], "'nope': there is no context_parts plug-in called 'nope'"),
        (["file_length max=x"], "max: should be a whole number"),
        (["file_length most=3"], "there is no such setting"),
        (["file_length 3"], "'3' in 'file_length 3' should be a setting with a value"),
        (["partial_memory dropout=2"], "less than or equal to 1"),
        (["joining", "file_grained"], "'file_grained' cannot follow 'joining'"),
        (["file_grained", "code_only", "joining"], "'code_only' cannot follow 'file_grained'"),
        (["file_grained", "empty_file", "joining"], "'empty_file' cannot follow 'file_grained'"),
        (["file_grained", "alphabetical", "joining"], "rankers need a sorter"),
        (["file_grained", "mixed", "joining"], "a sorter rankers"),
        (["file_grained"], "no harvester"),
        (["joining"], "no chunker"),
        ([], "no chunker"),
    ],
)
def test_a_wrong_chain_is_refused(parts, said):
    with pytest.raises(UserError, match=said):
        Chain(parts)


@pytest.mark.parametrize("name", PARTS.names())
def test_every_part_has_its_name_and_says_where_it_comes_from(name):
    part = part_of(name)
    assert part.name == name
    assert type(part).__doc__
    for field, info in type(part).Params.model_fields.items():
        assert field == "name" or info.description
