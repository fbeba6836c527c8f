"""A package with one plug-in of every kind: each is found, keeps its contract, and runs, with no line for it elsewhere.

The package is `tests/plugins`; what an installer would write of it is written here, so that nothing need be installed.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from engine.plugins import KINDS

pytestmark = pytest.mark.slow  # processes of their own, which import everything anew

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "tests" / "plugins"
IN_EVERY = {"launcher": "sample"}  # set for every run


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The environment of a process that has the package."""
    folder = tmp_path_factory.mktemp("installed")
    shutil.copytree(PACKAGE / "sample_plugins", folder / "sample_plugins")
    project = tomllib.loads((PACKAGE / "pyproject.toml").read_text())["project"]
    told = folder / "sample_plugins-1.dist-info"
    told.mkdir()
    (told / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n")
    groups = "".join(
        f"[{group}]\n" + "".join(f"{name} = {place}\n" for name, place in entries.items())
        for group, entries in project["entry-points"].items()
    )
    (told / "entry_points.txt").write_text(groups)
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)])}


def ran(environment, *command, timeout=300):
    done = subprocess.run(
        [sys.executable, *command], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=timeout
    )
    assert done.returncode == 0, f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stdout


def test_there_is_one_of_every_kind(installed):
    project = tomllib.loads((PACKAGE / "pyproject.toml").read_text())["project"]
    assert {f"repair_studio.{kind.kind}" for kind in KINDS} <= set(project["entry-points"])
    names = ran(
        installed, "-c", "from engine.plugins import KINDS; print([k.kind for k in KINDS if 'sample' not in k.names()])"
    )
    assert names.strip() == "[]"


def test_each_keeps_its_contract(installed):
    shown = ran(
        installed,
        "-m",
        "pytest",
        "tests/contract",
        "-k",
        "sample and (holds or keep)",
        "-p",
        "no:cacheprovider",
        "-rA",
    )
    passed = [line for line in shown.splitlines() if line.startswith("PASSED") and line.endswith("[sample]")]
    kept = {Path(line.split()[1].partition("::")[0]).name for line in passed}
    for_all = {f"test_{kind.kind}.py" for kind in KINDS}
    assert kept == for_all, shown[-2000:]


def test_each_is_in_a_form_with_its_settings(installed):
    code = """
import gradio as gr
from engine.plugins import BY_FIELD
from engine.specs import KINDS
from studio.forms.form import Form
for kind, spec in KINDS.items():
    with gr.Blocks():
        form = Form(kind, names={})
    for field in BY_FIELD:
        if field in spec.model_fields:
            plugins = form.plugin(field)
            assert f'<option value="sample"' in plugins.widget.html_template, (kind, field)
            settings = BY_FIELD[field].plugin("sample").Params.model_fields
            there = {each.name for each in plugins.settings["sample"]}
            assert there == {name for name in settings if name != "name"}, (kind, field)
"""
    ran(installed, "-c", code)


def test_each_runs_from_the_shell(installed, tmp_path):
    def repair_studio(*words):
        settings = [f"--set={field}={plugin}" for field, plugin in IN_EVERY.items()] if "--wait" in words else []
        return ran({**installed, "REPAIR_STUDIO_HOME": str(tmp_path / "home")}, "-m", "engine", *words, *settings)

    repair_studio("dataset", "build", "--set=builder=sample", "--set=name=pairs", "--set=exclude=[]", "--wait")
    repair_studio("train", "--set=trainer=sample", "--set=dataset=pairs", "--set=name=shifted", "--wait")
    plugs = [f"--set={field}=sample" for field in ("representation", "generator", "benchmark", "sandbox")]
    told = repair_studio("benchmark", *plugs, "--set=model=served", "--set=candidates=2", "--wait", "--json")
    result = json.loads(told)["result"]
    assert result["plausible_at"]["1"] == result["scored"] == 1
    assert result["sandbox"] == "sample 1"
    models = json.loads(repair_studio("runs", "show", "2", "--json"))
    assert models["state"] == "done"
    plugs[1] = "--set=strategy=sample"
    said = repair_studio(
        "chat", *plugs, "--set=generator=sample", "--set=bug=sample/add", "--set=model=served", "--budget=1"
    )
    assert "plausible" in said


def test_the_studio_and_auto_are_as_they_were(installed, tmp_path):
    """A dropped file goes to a builder that takes one, and not to any with a setting `file`; foreign code runs where it ran."""
    code = """
import json, sys
from pathlib import Path
import gradio as gr
from engine.control.workspace import Workspace
from engine.plugins import SANDBOXES
from engine.sandboxes.auto import levels
from studio.app import create_app
studio = create_app(Workspace(Path(sys.argv[1])))
take_file, = [each.fn for each in studio.blocks.fns.values() if each.api_name == "datasets_take_file"]
file = Path(sys.argv[1]).parent / "a.csv"
file.write_text("old,new\\n")
filled, _ = take_file('{"name": "sample"}', gr.EventData(None, {"value": str(file)}))
assert json.loads(filled)["name"] == "columns" and json.loads(filled)["file"] == str(file)
page = studio.pages["datasets"]
assert page.look(None, [field.value for field in page.inputs])["pieces"][0] == ""
assert "sample" in SANDBOXES.names() and "sample" not in levels(), levels()
"""
    ran(installed, "-c", code, str(tmp_path / "home"))


def test_its_page_is_behind_the_others_and_is_drawn(installed, tmp_path):
    code = """
import sys
from pathlib import Path
from engine.control.workspace import Workspace
from studio.app import create_app
studio = create_app(Workspace(Path(sys.argv[1])))
assert list(studio.pages)[-1] == "sample", list(studio.pages)
live = studio.pages["sample"]
assert "There are 0 runs." in str(live.look(None, [field.value for field in live.inputs]))
"""
    ran(installed, "-c", code, str(tmp_path / "home"))
