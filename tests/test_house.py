"""The code keeps its rules: small files, plain names, no dangerous calls, docstrings everywhere."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

from engine import plugins
from engine.spec_files import preset_names, read_spec
from engine.specs import KINDS

ROOT = Path(__file__).resolve().parents[1]
SOURCES = sorted(path for part in ("studio", "engine", "storage") for path in (ROOT / part).rglob("*.py"))
ALL = SOURCES + sorted((ROOT / "tests").rglob("*.py"))


def trees():
    return [(path, ast.parse(path.read_text(encoding="utf-8"))) for path in SOURCES]


def test_the_sources_are_found():
    assert len(SOURCES) > 40
    assert {path.relative_to(ROOT).parts[0] for path in SOURCES} == {"studio", "engine", "storage"}


def test_a_file_has_at_most_300_lines():
    assert {path: n for path in ALL if (n := len(path.read_text(encoding="utf-8").splitlines())) > 300} == {}


def test_no_two_files_of_tests_have_one_name():
    """Without packages, pytest could not tell them apart."""
    names = [path.name for path in (ROOT / "tests").rglob("test_*.py")]
    assert sorted(name for name in {*names} if names.count(name) > 1) == []


def test_no_file_is_called_by_a_name_that_says_nothing():
    said_nothing = {"utils", "util", "helpers", "helper", "manager", "common", "misc"}
    assert [path for path in ALL if path.stem in said_nothing] == []


def test_a_module_says_what_it_is_for():
    assert [path for path, tree in trees() if not ast.get_docstring(tree)] == []


def dangers(tree: ast.AST):
    """Calls that run a shell, unpickle, run remote code, or unpack archives unchecked."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias.name for alias in node.names] + [getattr(node, "module", "") or ""]
            yield from (f"import {name}" for name in names if name.split(".")[0] in {"pickle", "marshal", "shelve"})
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            if called in {"os.system", "os.popen", "eval", "exec", "torch.load"} or called.endswith(".extractall"):
                yield called
            for keyword in node.keywords:
                if keyword.arg in {"shell", "trust_remote_code"} and not (
                    isinstance(keyword.value, ast.Constant) and keyword.value.value is False
                ):
                    yield f"{called}({keyword.arg}=...)"


def test_the_danger_lint_sees_dangers():
    code = "import pickle\nos.system('x')\nsubprocess.run(a, shell=True)\nf(trust_remote_code=True)\nz.extractall()"
    assert len(list(dangers(ast.parse(code)))) == 5


def test_no_shell_no_pickle_no_remote_code():
    assert {path: found for path, tree in trees() if (found := list(dangers(tree)))} == {}


def test_every_preset_validates():
    found = [(kind, name) for kind in KINDS for name in preset_names(kind)]
    assert {"demo"} <= {name for kind, name in found if kind == "train"}
    assert {"repairllama", "stablecode-10gb"} <= {name for kind, name in found if kind == "train"}
    for kind, name in found:
        assert read_spec(kind, name).kind == kind


def test_every_plugin_loads_is_named_and_describes_its_settings():
    seen = 0
    for registry in plugins.KINDS:
        for name in registry.names():
            plugin = registry.plugin(name)
            assert plugin.name == name
            for field, info in plugin.Params.model_fields.items():
                assert field == "name" or info.description, f"{registry.kind}/{name}.{field} is not described"
            seen += 1
    assert seen >= 12


def test_every_plugin_is_in_the_readme():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    missing = [name for registry in plugins.KINDS for name in registry.names() if f"`{name}`" not in readme]
    assert missing == []


def test_every_source_of_data_has_a_command_in_the_readme():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    missing = [
        name for name in plugins.BUILDERS.names() if f"    repair-studio dataset build {name} --set " not in readme
    ]
    assert missing == []


def test_the_engine_works_without_the_studio_and_without_torch():
    code = (
        "import sys; sys.modules['studio'] = None\n"
        "import engine.shell.cli, engine.control.workspace, engine.specs\n"
        "heavy = {'torch', 'transformers', 'gradio', 'peft', 'trl'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)
