"""The Ray cluster of a home belongs to none of its runs, and to no shard of one."""

from __future__ import annotations

import sys
from pathlib import Path

import psutil
import pytest

from engine.launchers import ray_local
from engine.launchers.local import MARK
from engine.launchers.ray import Ray

ROOT = Path(ray_local.__file__).parents[2]
# As the module itself, without Ray: what it keeps runs until it is ended
KEEPER = """#!{python}
import json, sys, time
from pathlib import Path
from engine.launchers import ray_local

def keep(home):
    folder = home / "ray"
    with ray_local._locked(folder / ray_local.ALIVE):
        (folder / ray_local.TOKEN).write_text("token")
        (folder / ray_local.RECORD).write_text(json.dumps({{"address": "http://127.0.0.1:1"}}))
        time.sleep(60)

ray_local.keep = keep
sys.exit(ray_local.main(Path(sys.argv[-1])))
"""


@pytest.mark.parametrize("folder", ["runs/7", "runs/7/shards/3"])
def test_a_shard_uses_the_cluster_of_its_home(tmp_path, monkeypatch, folder):
    asked = []
    monkeypatch.setattr(ray_local, "running", lambda home: asked.append(home))
    monkeypatch.setattr(ray_local, "start", asked.append)
    run = tmp_path / folder
    run.mkdir(parents=True)
    with pytest.raises(Exception, match="the Ray cluster of this machine has ended"):
        Ray(Ray.Params(address="local")).submit(run, {})
    assert set(asked) == {tmp_path}


def test_the_end_of_a_run_that_started_the_cluster_leaves_it_alone(tmp_path, monkeypatch):
    script = tmp_path / "python"
    script.write_text(KEEPER.format(python=sys.executable))
    script.chmod(0o755)
    monkeypatch.setattr(ray_local.sys, "executable", str(script))
    monkeypatch.setenv(MARK, str(tmp_path / "runs" / "7"))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    ray_local.start(tmp_path)
    keeper = psutil.Process(int((tmp_path / "ray" / ray_local.PID).read_text()))
    try:
        assert MARK not in keeper.environ()
        assert keeper not in psutil.Process().children(recursive=True)
    finally:
        keeper.kill()
