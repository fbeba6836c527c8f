"""A patch's time is counted from outside: it cannot switch its limit off, hide from it, or lose it to a busy machine."""

from __future__ import annotations

import subprocess
import sys
from contextlib import ExitStack

import pytest

from engine.benchmarks.pocket import Pocket
from engine.domain import Outcome, Patch

pytestmark = pytest.mark.slow  # real patches that use up their time, at every level

LIMIT_S = 1.0  # of processor time; three times that by the clock
BURN_S = 2.0  # of processor time, which these use before they answer correctly, and within the limit by the clock

PYTHON = """import os, signal, threading, time
def burn(seconds):
    end = time.process_time() + seconds
    while time.process_time() < end: pass
def in_a_child(seconds):  # and wait for the pipe that the child holds, not for the child
    out, into = os.pipe()
    child = os.fork()
    if child == 0:
        burn(seconds)
        os._exit(0)
    os.close(into)
    os.read(out, 1)
    os.close(out)
    return child
{0}
def middle(text):
    {1}
    return text[(len(text) - 1) // 2]
"""
LATE_PYTHON = {  # patch -> what it does when it is imported, and when it is called
    "switches the timers off": (
        "signal.setitimer(signal.ITIMER_PROF, 0); signal.setitimer(signal.ITIMER_REAL, 0); burn(BURN)",
        "",
    ),
    "never ends": ("signal.setitimer(signal.ITIMER_PROF, 0)\nwhile True: pass", ""),
    "burns in the test": ("late = [BURN]", "burn(late.pop() if late else 0)"),
    "ignores every signal": (
        "for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}: signal.signal(number, signal.SIG_IGN)\n"
        "burn(BURN)",
        "",
    ),
    "asks the kernel for more": (
        "import resource\ntry: resource.setrlimit(resource.RLIMIT_CPU, (resource.RLIM_INFINITY,) * 2)\n"
        "except (OSError, ValueError): burn(BURN)",
        "",
    ),
    "burns in a child": ("os.waitpid(in_a_child(BURN), 0)", ""),
    "burns in a child nobody waits for": ("signal.signal(signal.SIGCHLD, signal.SIG_IGN); in_a_child(BURN)", ""),
    "burns in children nobody waits for": (
        "signal.signal(signal.SIGCHLD, signal.SIG_IGN)\nfor _ in range(10): in_a_child(BURN / 10)",
        "",
    ),
    "hides in short children nobody waits for": (
        "signal.signal(signal.SIGCHLD, signal.SIG_IGN)\nwhile True: in_a_child(0.005)",
        "",
    ),
    "burns in many short children": ("for _ in range(100): os.waitpid(in_a_child(BURN / 100), 0)", ""),
    "burns in a daemon": (
        "out, into = os.pipe()\nif os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0: burn(BURN)\n    os._exit(0)\n"
        "os.close(into); os.wait(); os.read(out, 1)",
        "",
    ),
    "burns in a thread": ("late = threading.Thread(target=burn, args=(BURN,)); late.start(); late.join()", ""),
    "sleeps": ("time.sleep(60)", ""),
    "stops itself": ("os.kill(os.getpid(), signal.SIGSTOP)", ""),
}

JAVA = """
class Larger {{
    static void burn(double seconds) {{
        var bean = java.lang.management.ManagementFactory.getThreadMXBean();
        while (bean.getCurrentThreadCpuTime() < seconds * 1e9) {{}}
    }}
    static void sleep() {{
        while (true) {{ try {{ Thread.sleep(60_000); }} catch (InterruptedException swallowed) {{}} }}
    }}
    static boolean isLate = true;
    {0}
    static int of(int a, int b) {{
        if (isLate) {{ isLate = false; {1} }}
        return a > b ? a : b;
    }}
}}
"""
OTHERS = "for (Thread one : Thread.getAllStackTraces().keySet()) if (one != Thread.currentThread()) "
LATE_JAVA = {
    "suspends every other thread": ("", OTHERS + "one.suspend(); burn(BURN);"),
    "interrupts every other thread": ("", OTHERS + "one.interrupt(); burn(BURN);"),
    "never ends": ("", "while (true) {}"),
    "loops in a static initialiser": ("static int first = first(); static int first() { while (true) {} }", ""),
    "exits into a hook that loops": (
        "",
        "Runtime.getRuntime().addShutdownHook(new Thread(() -> { while (true) {} })); System.exit(0);",
    ),
    "burns in a thread": (
        "",
        "var late = new Thread(() -> burn(BURN)); late.start(); "
        "while (late.isAlive()) { try { late.join(); } catch (InterruptedException swallowed) {} }",
    ),
    "swallows interrupts and sleeps": ("", "sleep();"),
}


@pytest.fixture
def judged(pocket, bugs, sandbox):
    def judge(language, at_import, at_call, limit_s=LIMIT_S):
        benchmark = Pocket(Pocket.Params(timeout_s=limit_s), pocket._folder)
        if reason := benchmark.skipped().get(bugs[language].id):
            pytest.skip(reason)
        shape = {"python": PYTHON, "java": JAVA}[language]
        nothing = "pass" if language == "python" else ""
        text = shape.format(at_import, at_call or nothing).replace("BURN", str(BURN_S))
        return benchmark.evaluate(bugs[language], Patch(bugs[language].id, text), sandbox)

    return judge


@pytest.mark.parametrize("way", LATE_PYTHON)
def test_a_python_patch_over_its_time_limit_is_a_timeout(judged, way):
    verdict = judged("python", *LATE_PYTHON[way])
    assert (verdict.outcome, verdict.reason) == (Outcome.TIMEOUT, ""), verdict
    is_asleep = way in ("sleeps", "stops itself")
    assert verdict.duration_s > 3 * LIMIT_S if is_asleep else verdict.duration_s < 30 * LIMIT_S + 5, verdict
    assert not is_asleep or verdict.duration_s < 3 * LIMIT_S + 10, "3 x the limit and 15 s were given once"


@pytest.mark.parametrize("way", LATE_JAVA)
def test_a_java_patch_over_its_time_limit_is_a_timeout(judged, way):
    verdict = judged("java", *LATE_JAVA[way])
    assert (verdict.outcome, verdict.reason) == (Outcome.TIMEOUT, ""), verdict
    assert verdict.duration_s < 3 * LIMIT_S + 15, verdict


@pytest.mark.parametrize(
    ("language", "at_import", "at_call"),
    [("python", "burn(2.2)", ""), ("python", "os.waitpid(in_a_child(2.2), 0)", ""), ("java", "", "burn(2.2);")],
    ids=["python", "python's child", "java"],
)
def test_a_patch_within_its_time_is_plausible_on_a_busy_machine(judged, language, at_import, at_call):
    with ExitStack() as held:
        for _ in range(2):
            busy = held.enter_context(subprocess.Popen([sys.executable, "-c", "while True: pass"]))
            held.callback(busy.kill)
        verdict = judged(language, at_import, at_call, limit_s=3.0)
    assert verdict.is_plausible, verdict


def test_a_patch_may_sleep_longer_than_its_processor_time(judged):
    assert judged("python", "time.sleep(2 * 1.0)", "").is_plausible


def test_a_patch_gets_a_small_multiple_of_the_time_of_the_known_fix(pocket, bugs, sandbox):
    bug = bugs["python"]
    benchmark = Pocket(Pocket.Params(timeout_s=30), pocket._folder)
    fixed = benchmark.evaluate(bug, Patch(bug.id, bug.fixed), sandbox)
    endless = benchmark.evaluate(bug, Patch(bug.id, PYTHON.format("while True: pass", "pass")), sandbox)
    slow = PYTHON.format("burn(0.4)", "pass")
    assert (fixed.outcome, endless.outcome) == (Outcome.PLAUSIBLE, Outcome.TIMEOUT)
    assert endless.duration_s < 20, "it was given the whole limit"
    assert benchmark.evaluate(bug, Patch(bug.id, slow), sandbox).is_plausible, "a slow patch that ends passes"
