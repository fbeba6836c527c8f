"""A workspace with one of everything in it, written straight into its tables; hostile text in every free field."""

from __future__ import annotations

import math
import shutil
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from engine.assets import STARTER_ADAPTER, STARTER_MODEL
from engine.control.patch_rows import PatchRows
from engine.domain import Outcome
from engine.events import BugEvent, PatchEvent, VerdictFields
from engine.listed import LEFT_OUT, MISSING, OVERLAP, Listing
from engine.specs import parse
from storage import curves, texts
from storage.database import Database
from storage.tables import Conversation, Dataset, Model, Run, Turn

CHAT_BUG = "pocket/py-archive-command"
HOSTILE = "<img src=x onerror=\"window.hacked=1\"><script>window.hacked=2</script><a href='javascript:hacked=3'>x</a>"
BUGGY = '''def gcd(a, b):
    """Greatest common divisor."""
    while b:
        a, b = b, a % b + 1
    return a
'''
FIXED = BUGGY.replace("a % b + 1", "a % b")
KINDS = ("off_by_one", "wrong_operator", "wrong_variable", "missing_guard", "wrong_base_case", "swapped_arguments")
NAMES = ("gcd", "binary_search", "merge_sorted", "flatten", "word_wrap", "running_mean", "is_leap_year", "roman", "rle",
         "topological_sort", "interval_union", "parse_duration", "luhn", "bracket_match", "transpose", "lru_cache",
         "median", "matrix_power", "csv_row", "token_bucket", "close_file", "prefix_sums", "trie", "bisect_left")  # fmt: skip
OUTCOMES = ("plausible", "test_failed", "test_failed", "compile_error", "test_failed", "timeout", "no_patch",
            "test_failed", "test_failed", "compile_error")  # fmt: skip


def fill(home: Path, hostile: bool = False) -> None:
    """Make `home` a workspace that has been used."""
    (home / "runs").mkdir(parents=True, exist_ok=True)
    database = Database(home / "studio.db")
    odd = HOSTILE if hostile else ""
    with database.write() as session:

        def run(kind: str, name: str, state: str, **more: object) -> Run:
            spec = parse({"kind": kind, **more.pop("spec", {})}).model_dump(mode="json")  # type: ignore[arg-type]
            made = Run(kind=kind, name=name, state=state, spec=spec, created_at=time.time() - 4000, **more)
            session.add(made)
            session.flush()
            made.folder = str(home / "runs" / str(made.id))
            made.started_at = None if state == "queued" else time.time() - 400
            made.ended_at = time.time() - 90 if state in ("done", "failed", "stopped") else None
            (Path(made.folder) / "artifacts").mkdir(parents=True)
            (Path(made.folder) / "events.jsonl").touch()
            (Path(made.folder) / "log.txt").write_text(odd + LOG)
            return made

        built = run("dataset", "stdlib-faults", "done", spec={"name": "stdlib-faults"}, group="demo-1")
        session.add(_dataset(home, built, odd))
        done = run("train", "repair-lora", "done", spec={"name": "repair-lora", "dataset": "stdlib-faults", "trainer": {"name": "sft", "rank": 16}},
                   group="demo-1")  # fmt: skip
        _curves(session, done, 120)
        adapter = Path(done.folder) / "artifacts" / "model"
        shutil.copytree(STARTER_ADAPTER, adapter, ignore=shutil.ignore_patterns("repaired.json"))
        session.add(
            Model(name="repair-lora", kind="adapter", path=str(adapter), base=str(STARTER_MODEL), run_id=done.id,
                  created_at=time.time())
        )  # fmt: skip
        run("merge", "repair-lora-merged", "done", spec={"name": "repair-lora-merged", "adapter": "repair-lora"}, group="demo-1", result={
            "usable": True, "max_logit_difference": 3.1e-5, "same_patches": 5, "bugs": 5, "tolerance": 1e-3})  # fmt: skip
        for model in ("starter", "repair-lora"):
            _benchmark(session, run("benchmark", f"pocket-{model}", "done", spec={"model": model},
                                    group="demo-1", result={"sandbox": "bubblewrap 0.8.0", "gpus": 1}), model, odd)  # fmt: skip
        run(
            "train",
            f"too-large{odd[:40]}",
            "failed",
            spec={"dataset": "stdlib-faults"},
            cause="user",
            error=f"trainer.rank: rank 1024 does not fit {odd}",
        )
        live = run(
            "train",
            "repair-qlora",
            "running",
            spec={"dataset": "stdlib-faults"},
            progress_done=36,
            progress_total=60,
            progress_text=f"step 36 of 60, loss 1.31 {odd}",
        )
        _curves(session, live, 36)
        run("benchmark", "pocket-qlora", "queued", spec={"model": "starter"}, after=live.id, group="demo-1")
        chat = run("chat", "chat-starter", "running", spec={"bug": CHAT_BUG})
        _conversation(session, chat, odd)
    database.close()


LOG = "loading starter\n{'loss': 2.31, 'learning_rate': 0.0002, 'epoch': 0.1}\n{'loss': 1.87, 'epoch': 0.2}\n" * 4


def _dataset(home: Path, run: Run, odd: str) -> Dataset:
    from tokenizers import Tokenizer

    folder = Path(run.folder) / "artifacts"
    tokenizer = Tokenizer.from_file(str(STARTER_MODEL / "tokenizer.json"))
    (folder / "tokenizer").mkdir()
    shutil.copy(STARTER_MODEL / "tokenizer.json", folder / "tokenizer")
    rows = []
    for number, name in enumerate(NAMES):
        buggy, fixed = BUGGY.replace("gcd", name), FIXED.replace("gcd", name)
        prompt = f"<fim_prefix>{buggy.split('        a, b')[0]}# buggy: a, b = b, a % b + 1 {odd}\n<fim_suffix>    return a\n<fim_middle>"
        target = "        a, b = b, a % b\n"
        ids = tokenizer.encode(prompt).ids
        learned = tokenizer.encode(target).ids
        rows.append({"bug_id": f"{name}.py:{number}{odd}", "kind": KINDS[number % len(KINDS)], "prompt": prompt,
                     "target": target, "buggy": buggy, "fixed": fixed, "input_ids": ids + learned,
                     "n_prompt": len(ids)})  # fmt: skip
    for side in ("train", "valid"):
        pq.write_table(pa.Table.from_pylist(rows), folder / f"{side}.parquet")
    counts = [int(400 * math.exp(-(((x - 7) / 5) ** 2))) for x in range(16)]
    report = {
        "rows": {"train": 2280, "valid": 120}, "hash": "9f2c41d07b5e", "learned_tokens": 41_822, "max_tokens": 1024,
        "funnel": {"source": 3214, "steps": [
            {"reason": "no fault fits the function", "count": 402, "example": f"abc.py:12{odd}"},
            {"reason": "longer than 1024 tokens", "count": 311, "example": "argparse.py:1710"},
            {"reason": "same code as another sample, a duplicate", "count": 101, "example": "bisect.py:15"}]},
        "kinds": {kind: 520 - 61 * place for place, kind in enumerate(KINDS)},
        "histogram": {"edges": [64 * x for x in range(17)], "counts": counts},
        "prompts": {"edges": [64 * x for x in range(17)], "counts": [*counts[1:], 0]},
        "targets": {"edges": [64 * x for x in range(17)], "counts": [2400] + [0] * 15},
        "projects": {f"project-{place}{odd}": 300 - 20 * place for place in range(12)},
        "languages": {"python": 2400}, "distinct": {"projects": 40, "languages": 1}, "split": "time", "undated": 3,
        "windows": [{"tokens": 1024, "kept": 2400, "prompts": 2500, "targets": 2700,
                     "cut": {"fix": 311, "mark": 290, "faulty lines": 120, "all that is learned": 211}},
                    {"tokens": 2048, "kept": 2700, "prompts": 2700, "targets": 2711, "cut": {"fix": 11}}],
        "overlap": [{"benchmark": "pocket", "bugs": 60, "same": 2, "renamed": 1, "alike": 1, "touched": 3, "problem": ""},
                    {"benchmark": "humaneval", "problem": f"no folder is named {odd}"}],
        "expected": {"wanted": 24, "found": 22, "missing": {"not in the source": 1, f"empty cell {odd}": 1}},
        "facts": {"sources": [{"name": f"one{odd}", "taken": 1200, "rows": 1300, "licence": f"MIT{odd}"}]},
        "licence": f"Apache-2.0{odd}",
    }  # fmt: skip
    with Listing(folder / LEFT_OUT) as left_out:
        for number in range(311):
            lengths = {"n_tokens": 1100 + number, "n_prompt": 1090, "n_target": 10 + number, "cut": f"fix{odd}"}
            left_out.add("longer than 1024 tokens", bug_id=f"long.py:{number}{odd}", **lengths)
        for number in range(101):
            left_out.add("same code as another sample, a duplicate", bug_id=f"bisect.py:{number}", like="gcd.py:0")
    with Listing(folder / OVERLAP) as overlap:
        for number, name in enumerate(NAMES[:4]):
            overlap.add(
                "pocket", bug_id=f"{name}.py:{number}{odd}", like=f"pocket/py-{name}", how="shared tokens", share=0.6
            )
    with Listing(folder / MISSING) as missing:
        for name, reason in (("Lang-1", "not in the source"), (f"Lang-2{odd}", f"empty cell {odd}")):
            missing.add(reason, bug_id=name)
    return Dataset(name="stdlib-faults", run_id=run.id or 0, folder=str(folder), train_rows=2280, valid_rows=120,
                   hash=report["hash"], report=report, created_at=time.time() - 300)  # fmt: skip


def _curves(session: object, run: Run, steps: int) -> None:
    for step in range(1, steps + 1):
        wave = 0.12 * math.sin(step * 1.7) + 0.05 * math.sin(step * 5.1)
        values = {
            "loss": 0.9 + 1.9 * math.exp(-step / 28) + wave,
            "learning_rate": 2e-4 * (1 - step / 130),
            "tokens_per_s": 2450 + 160 * math.sin(step),
            "token_accuracy": 0.8 - 0.4 * math.exp(-step / 28),
            "memory_bytes": (1.35 + 0.1 * min(step / 20, 1)) * 2**30,
        }
        if step % 20 == 0:
            values["eval_loss"] = 1.0 + 1.8 * math.exp(-step / 30)
        common = {"run_id": run.id, "seq": step, "step": step, "time": time.time()}
        curves.add(session, [{**common, "name": name, "value": value} for name, value in values.items()])


def _benchmark(session: object, run: Run, model: str, odd: str) -> None:
    patch_rows = PatchRows(session, run.id or 0)
    for number, name in enumerate(NAMES):
        language = "java" if number % 6 == 5 else "python"
        bug_id = f"pocket/{language[:2]}-{name.replace('_', '-')}{odd}"
        buggy, fixed = BUGGY.replace("gcd", name), FIXED.replace("gcd", name)
        skipped = "no JDK found: install openjdk-17-jdk-headless" if language == "java" else ""
        patch_rows.add(BugEvent(id=bug_id, language=language, path=f"{name}.py", start=4, end=4, buggy=buggy,
                           fixed=fixed, skipped=skipped, kind=KINDS[number % len(KINDS)],
                           cwe="CWE-193" if number % 4 == 0 else ""))  # fmt: skip
        if skipped:
            continue
        patch_rows.add(PatchEvent(bug_id, "known_fix", 0, _verdict("plausible", log="3 passed"), text=fixed))
        patch_rows.add(PatchEvent(bug_id, "buggy_code", 0, _verdict("test_failed", log=FAILURE + odd), text=buggy))
        for rank in range(1, 11):
            lucky = (number * 3 + rank * 7) % (17 if model == "starter" else 9) == 0
            outcome = "plausible" if lucky else OUTCOMES[(number + rank * 3) % 10]
            outcome = "test_failed" if outcome == "plausible" and not lucky else outcome
            text = None if outcome == "no_patch" else fixed if lucky else BUGGY.replace("b + 1", f"b + {rank}")
            verdict = _verdict(outcome, log=odd + FAILURE, failed=("test_small",),
                               reason="the answer is empty" if text is None else "")  # fmt: skip
            patch_rows.add(PatchEvent(bug_id, "model", rank, verdict, text=text, score=-0.11 * rank - 0.02,
                                   completion=f"        a, b = b, a % b{odd}\n", tokens_written=12 + rank,
                                   tokens_read=20, tree=str(lucky), is_known_tree=lucky, edit=rank + 1))  # fmt: skip
    patch_rows.store()


def _verdict(outcome: str, **more: object) -> VerdictFields:
    return VerdictFields(Outcome(outcome), duration_s=0.31, sandbox="bubblewrap 0.8.0", **more)  # type: ignore[arg-type]


FAILURE = """F.                                                      [100%]
    def test_small():
>       assert gcd(12, 18) == 6
E       assert 1 == 6
1 failed, 1 passed in 0.08s
"""


def _conversation(session: object, run: Run, odd: str) -> None:
    chat = Conversation(run_id=run.id, bug_id=CHAT_BUG, model="starter-adapter", benchmark={"name": "pocket"},
                        strategy="test_feedback", outcome="plausible", created_at=time.time() - 60)  # fmt: skip
    session.add(chat)
    session.flush()
    turns = [
        ("user", f"Please repair gcd. {odd}", None, "", ""),
        ("assistant", "        a, b = b, a % b + 2\n" + odd, BUGGY.replace("+ 1", "+ 2"), "test_failed", FAILURE + odd),
        ("tool", f"test: assert 1 == 6 (test_small)\n\n{FAILURE}{odd}", None, "", ""),
        ("assistant", "        a, b = b, a % b\n", FIXED, "plausible", "3 passed in 0.05s"),
    ]
    before = None
    for number, (role, text, patch, outcome, log) in enumerate(turns, 1):
        text_ids = texts.store(session, {text, patch or "", log, "", "[]"})
        before = Turn(conversation_id=chat.id, number=number, role=role, message_text=text_ids[text], outcome=outcome,
                      parent_id=before and before.id, run_id=run.id, patch_text=text_ids[patch] if patch else None,
                      prompt_text=text_ids[""], log_text=text_ids[log], failed_text=text_ids["[]"],
                      sandbox="bubblewrap 0.8.0")  # fmt: skip
        session.add(before)
        session.flush()
