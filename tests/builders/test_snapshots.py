"""Files of projects become samples below a context of their repository; what does not is counted with its reason."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

import pytest
from pydantic import ValidationError

from engine.assets import STARTER_MODEL
from engine.builders.composing.categories import CATEGORIES, Names, categorised
from engine.builders.composing.datapoints import Held
from engine.builders.composing.repositories import repositories_in
from engine.builders.composing.samples import TOO_LITTLE
from engine.builders.snapshots import LEARNED, MADE, TEST, Snapshots
from engine.errors import UserError
from engine.languages.imports import modules_of
from engine.models.tokenizer import tokenizer_of

sys.path += [str(Path(__file__).resolve().parents[1] / name) for name in ("work", "builders")]
from small_dataset import make  # noqa: F401
from snapshot_reading import read, text_of

ENDS = tokenizer_of(STARTER_MODEL).ends
TILL = "import shop.cart\n\n\ndef pay(cart):\n    print(cart)\n    return total(cart) + tax(cart)\n"


@pytest.fixture
def project(tmp_path):
    """A checkout of two files of code, a test, a text and what git keeps."""
    folder = tmp_path / "me__shop"
    for path, text in {
        "shop/cart.py": "def total(cart):\n    return sum(cart)\n",
        "shop/till.py": TILL,
        "tests/test_till.py": "def test_pay():\n    pay([])\n",
        "README.md": "A shop.\n",
        ".git/HEAD": "ref: refs/heads/main\n",
        ".env": "PASSWORD=1\n",
        "shop/__pycache__/x.py": "no\n",
    }.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return folder


def test_a_file_stands_below_the_rest_of_its_repository(project):
    samples, funnel = read(project)
    assert {sample.bug_id for sample in samples} == {"me__shop/shop/cart.py", "me__shop/shop/till.py"}
    till = next(sample for sample in samples if "till" in sample.bug_id)
    context = (
        "# README.md\nA shop.\n\n\n# tests/test_till.py\ndef test_pay():\n    pay([])\n\n\n"
        "# shop/cart.py\ndef total(cart):\n    return sum(cart)\n"
    )
    files = ["README.md", "tests/test_till.py", "shop/cart.py"]
    assert text_of(till).startswith("# me__shop\n")
    assert text_of(till).endswith(f"\n\n# shop/till.py\n{TILL}")
    assert sorted(files, key=text_of(till).index)[-1] == "shop/cart.py", "the nearest is next to the file"
    assert {*context.split("\n")} <= {*text_of(till).split("\n")}
    assert till.target == f"# shop/till.py\n{TILL}"
    assert (till.language, till.project, till.is_ended) == ("python", "me__shop", True)
    assert funnel.lost == {"is hidden": 1, "serves as context only: is no Python, Java or C": 1, TEST: 1}


def test_lines_are_of_the_categories_of_the_benchmark(project):
    samples, funnel = read(project)
    till = next(sample for sample in samples if "till" in sample.bug_id)
    lines = text_of(till).split("\n")
    found = {kind: [lines[number].strip() for number in numbers] for kind, numbers in till.lines}
    assert found == {
        "non_informative": ["import shop.cart", "print(cart)"],
        "infile": ["def pay(cart):"],
        "inproject": ["return total(cart) + tax(cart)"],
    }
    assert funnel.counts[LEARNED] == {"non_informative": 2, "infile": 2, "inproject": 1, "random": 1}, "of both files"


def test_categories_by_hand():
    files = [
        Held("a.py", "def own(x):\n    pass\ndef get(): ...\n"),
        Held("b.py", "class Other: ...\ndef get(): ...\n"),
    ]
    text = (
        'def own(x):\n    """Says Other."""\n    y = Other(x)  # own\n\n    z = get(y)\n    w = x * 12\n    )\n'
        '    return "Other" + own(1)\n'
    )
    found = categorised("a.py", text, Names(files).elsewhere("a.py"))
    assert found == {
        "infile": [0, 7], "non_informative": [1, 6], "inproject": [2], "common": [4], "random": [5],
    }  # fmt: skip
    assert {*found} <= {*CATEGORIES}
    assert categorised("a.kt", "val x = 1\n\n", lambda name: True) == {"random": [0]}
    java = categorised("A.java", "class A {\n  int m(int a) {\n    return new B().n(a);\n  }\n}\n", {"B"}.__contains__)
    assert java == {"infile": [0, 1], "inproject": [2], "non_informative": [3, 4]}


@pytest.mark.parametrize("path", ["a.py", "A.java", "a.c", "a.txt"])
@pytest.mark.parametrize(
    "piece", ["*", "a", "a ", " ", "int a(", "(", "'", "import ", "from a import (\n", "def ", "<"]
)
def test_hostile_lines_take_no_time(path, piece):
    started = time.process_time()
    text = f"  {piece * 50_000}"
    categorised(path, text, Names([Held(path, text)]).elsewhere(path))
    modules_of(path, text)
    assert time.process_time() - started < 5


def test_the_last_share_of_a_file_is_learned_with_enough_context(project):
    (project / "README.md").write_text("word " * 500)
    samples, _ = read(project, most=200, context_tokens=0.5, loss_ratio=0.4)
    assert len(samples) == 2
    for sample in samples:
        counts = [len(ENDS(each.text)) for each in sample.segments]
        assert sum(counts) <= 200
        learned = sum(n for n, each in zip(counts, sample.segments, strict=True) if each.is_learned)
        completion = text_of(sample)[text_of(sample).rindex("# shop/") :]
        assert learned == pytest.approx(0.4 * len(ENDS(completion)), abs=2)
        assert sum(counts) - len(ENDS(completion)) >= 100, "at least the half is context"
    whole, _ = read(project, most=200, context_tokens=0.5, loss_ratio=1)
    assert all(sample.target.startswith("# shop/") for sample in whole)


def test_too_little_context_is_a_reason_and_no_context_is_asked_for_where_there_is_none(project):
    samples, funnel = read(project, most=500, context_tokens=400)
    assert (samples, funnel.lost[TOO_LITTLE]) == ([], 2)
    for settings in ({"recipe": "empty"}, {"loss": "file"}):
        samples, _ = read(project, most=500, context_tokens=400, **settings)
        assert text_of(samples[0]).count("# ") == 2, "the repository and the path alone"


def test_everything_can_be_learned(project):
    samples, _ = read(project, loss="everything")
    assert all(each.is_learned for each in samples[0].segments)


def test_split_has_whole_chunks_as_segments(project):
    samples, _ = read(project, composer="split", blocks=2)
    till = next(sample for sample in samples if "till" in sample.bug_id)
    assert [each.text for each in till.segments][:2] == [
        "# me__shop\n", "# shop/cart.py\ndef total(cart):\n    return sum(cart)\n\n"
    ]  # fmt: skip
    assert len(till.segments) == 3


def test_the_samples_of_a_repository_are_capped_and_chosen_by_the_seed(project):
    for n in range(20):
        (project / f"m{n}.py").write_text(f"x = {n}\ny = x\n")
    samples, funnel = read(project, per_repository=5)
    assert len(samples) == 5
    assert funnel.lost["more than 5 samples of its repository"] >= 16
    again, other = (read(project, seed, per_repository=5)[0] for seed in (0, 1))
    assert again == samples
    assert {each.bug_id for each in other} != {each.bug_id for each in samples}


def test_tests_are_completed_if_asked_for_and_what_programs_made_never(project):
    (project / "made.py").write_text("# Generated by protoc. DO NOT EDIT\nx = 1\n")
    samples, funnel = read(project, tests=True)
    assert "me__shop/tests/test_till.py" in {sample.bug_id for sample in samples}
    assert funnel.lost[MADE] == 1


# -- folders ---------------------------------------------------------------------------------------------------


def names(folder, which="auto"):
    return [each.name for each in repositories_in(folder, which, "builder.path")]


def test_which_folders_are_repositories(tmp_path):
    for path in ("one/a/x.py", "two/a/x.py", "two/.git/HEAD", "three/x.py", ".hidden/x.py"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("x = 1\n")
    assert names(tmp_path) == ["one", "three", "two"]
    (tmp_path / "README.md").write_text("Checkouts.\n")
    assert names(tmp_path) == ["one", "three", "two"], "one of them holds .git"
    assert names(tmp_path, "one") == [tmp_path.name]
    assert names(tmp_path / "one") == ["a"]
    assert names(tmp_path / "one", "one") == ["one"]
    assert names(tmp_path / "three") == names(tmp_path / "three", "each") == ["three"]
    assert names(tmp_path / "two") == ["two"]


def test_several_repositories_are_projects_of_their_own(tmp_path, project):
    other = tmp_path / "other"
    other.mkdir()
    (other / "a.py").write_text("def a():\n    return 1\n")
    samples, _ = read(tmp_path)
    assert [each.project for each in samples] == ["me__shop", "me__shop", "other"]
    assert "cart" not in text_of(samples[-1])


def test_hostile_files_are_counted_and_links_never_followed(tmp_path, project):
    secret = tmp_path / "outside"
    secret.mkdir()
    (secret / "secret.py").write_text("password = 1\n")
    (project / "loop").symlink_to(project)
    (project / "out").symlink_to(secret)
    (project / "link.py").symlink_to(secret / "secret.py")
    (project / "binary.py").write_bytes(b"x = 1\0\n")
    (project / "latin.py").write_bytes("# gr\xfc\xdfe\n".encode("latin-1"))
    (project / "latin.md").write_bytes("gr\xfc\xdfe\n".encode("latin-1"))
    (project / "huge.py").write_bytes(b"x = 1\n" * 200_000)
    (project / "blank.py").write_text(" \n")
    os.mkfifo(project / "pipe.py")
    os.mkdir(os.fsencode(project) + b"/\xff")
    Path(os.fsdecode(os.fsencode(project) + b"/\xff/a.py")).write_text("x = 1\n")
    deep = project
    for _ in range(120):
        deep /= "d"
    deep.mkdir(parents=True)
    samples, funnel = read(project)
    assert {sample.bug_id for sample in samples} == {"me__shop/shop/cart.py", "me__shop/shop/till.py"}
    assert funnel.lost == {
        "is hidden": 1, "is a link": 3, "is longer than 1 MiB": 1, "is no ordinary file": 1, "is no text in UTF-8": 2,
        "has a name that is not UTF-8": 1, "is a folder more than 100 folders deep": 1,
        "serves as context only: is no Python, Java or C": 2, "serves as context only: is empty": 1, TEST: 1,
    }  # fmt: skip
    assert not any("password" in text_of(sample) or "gr" in text_of(sample) for sample in samples)


def test_crlf_and_odd_texts_are_kept_to_the_letter(project):
    (project / "shop" / "till.py").write_bytes(b"x = 1\r\ny = '\xe2\x80\xa8'\r\n\tz = 2")
    samples, _ = read(project)
    till = next(sample for sample in samples if "till" in sample.bug_id)
    assert text_of(till).endswith("# shop/till.py\nx = 1\r\ny = '\u2028'\r\n\tz = 2\n")


@pytest.mark.parametrize(
    ("make_it", "said"),
    [
        (lambda path: None, "does not exist"),
        (lambda path: path.write_text("x"), "is no folder"),
        (lambda path: path.mkdir(), "is empty"),
    ],
)
def test_a_folder_that_cannot_be_used(tmp_path, make_it, said):
    make_it(tmp_path / "it")
    with pytest.raises(UserError, match=said) as raised:
        Snapshots(Snapshots.Params(path=str(tmp_path / "it"))).check()
    assert raised.value.field == "builder.path"


def test_settings_that_cannot_be():
    with pytest.raises(UserError, match="no folder is named"):
        Snapshots(Snapshots.Params()).check()
    for parts, said in ((("nope",), "no context_parts plug-in"), (("joining",), "no chunker")):
        with pytest.raises(UserError, match=said):
            Snapshots(Snapshots.Params(path="/tmp", parts=parts)).check()
    with pytest.raises(ValidationError, match="greater than 0"):
        Snapshots.Params(loss_ratio=0)


def test_an_own_chain_takes_the_place_of_the_recipe(project):
    samples, _ = read(project, parts=("inclusive_file_extension endings=.md", "file_grained", "joining"))
    assert all("A shop.\n\n\n# shop/" in text_of(sample) and "test_pay" not in text_of(sample) for sample in samples)


# -- a whole build ---------------------------------------------------------------------------------------------


def test_a_dataset_is_as_long_as_it_may_be_and_keeps_the_lines(project, make):  # noqa: F811
    (project / "README.md").write_text("word " * 500)
    builder = {"name": "snapshots", "path": str(project), "loss_ratio": 0.5}
    run, report, train, valid = make(builder=builder, max_tokens=128)
    assert len(train) + len(valid) == 2
    assert report["has_lines"]
    assert report["funnel"]["source"] == 5
    for row in [*train, *valid]:
        assert 120 <= row["n_tokens"] <= 128
        assert row["learned"][-1] == row["n_tokens"], "the end is learned, and no end of text after a file cut off"
        lines = (row["prompt"] + row["target"]).split("\n")
        for kind, numbers in json.loads(row["completion_lines"]).items():
            assert kind in CATEGORIES
            assert all(lines[number].strip() for number in numbers)
    mixed = {"name": "mixer", "datasets": [str(run.artifacts)]}
    *_, again, rest = make(builder=mixed, max_tokens=128)
    kept = {row["input_ids"].__repr__(): row["completion_lines"] for row in [*again, *rest]}
    assert kept == {row["input_ids"].__repr__(): row["completion_lines"] for row in [*train, *valid]}
