"""The JDK and the JUnit jars on this machine, and our own harness compiled against them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import zipfile
from pathlib import Path

from engine.errors import MissingDependency
from engine.sandboxes import Limits, Sandbox
from engine.sandboxes.identity import reachable, reachable_parent
from engine.temporary import TemporaryFolder

INSTALL = "apt install default-jdk-headless junit4"
DEBIAN_JARS = Path("/usr/share/java")
SOURCES = sorted(Path(__file__).parent.glob("*.java"))
# Serial collector and one compiler: a JVM that lives for a second has no use for more threads. The heap is that
# of the known fix of QuixBugs' KNAPSACK, which keeps 640 MB in one array of arrays.
FLAGS = (
    *("-Xmx768m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData", "-Xshare:auto"),
    *("-Djava.io.tmpdir=.", "-Dfile.encoding=UTF-8"),
)
OLDEST = 11
PROCESSES = 128  # a JVM starts some twenty threads before its program
WARM_UP = b"""
import org.junit.Assert;
import org.junit.Test;

public class WarmUpTest {
    @Test
    public void adds() {
        Assert.assertEquals(2, 1 + 1);
    }

    @Test
    public void fails() {
        Assert.assertEquals("text " + 1, "text " + 2);
    }
}
"""


def find_jdk() -> Path:
    """The folder of a JDK 11 or later: $JAVA_HOME, else the one on the PATH. Raises MissingDependency."""
    homes = [Path(os.environ["JAVA_HOME"])] if os.environ.get("JAVA_HOME") else []
    if javac := shutil.which("javac"):
        homes.append(Path(javac).resolve().parents[1])
    for home in homes:
        has_tools = all(reachable(home / "bin" / tool) for tool in ("java", "javac"))
        if has_tools and _version(home) >= OLDEST:
            return home.resolve()
    raise MissingDependency(f"no JDK {OLDEST} found: {INSTALL}, or set JAVA_HOME to one that every user can read")


def release_of(home: Path) -> str:
    """The version of a JDK, such as "17.0.9", as its own `release` file says it; empty where there is no such file."""
    release = home / "release"
    found = re.search(r'^JAVA_VERSION="(\d[^"]*)', release.read_text(), re.MULTILINE) if release.is_file() else None
    return found[1] if found else ""


def _version(home: Path) -> int:
    """8 is "1.8" there. A JDK that does not say its version counts as new enough."""
    found = re.match(r"\d+", release_of(home))
    return int(found[0]) if found else OLDEST


def find_jars() -> list[Path]:
    """JUnit 4 and Hamcrest: $JUNIT_JARS, else Debian's, else the newest of ~/.m2. Raises MissingDependency."""
    for jars in (_named_jars(), _debian_jars(), _maven_jars()):
        if jars and all(jar.is_file() for jar in jars):
            return jars
    raise MissingDependency(f"no JUnit 4 found: {INSTALL}, or name junit and hamcrest jars in JUNIT_JARS")


def _named_jars() -> list[Path]:
    return [Path(jar) for jar in os.environ.get("JUNIT_JARS", "").split(os.pathsep) if jar]


def _debian_jars() -> list[Path]:
    junit = [DEBIAN_JARS / name for name in ("junit4.jar", "junit.jar")]
    hamcrest = [DEBIAN_JARS / name for name in ("hamcrest-all.jar", "hamcrest.jar", "hamcrest-core.jar")]
    return [jar for jars in (junit, hamcrest) for jar in [*filter(Path.is_file, jars)][:1]]


def _maven_jars() -> list[Path]:
    repository = Path.home() / ".m2" / "repository"
    junit = sorted(repository.glob("junit/junit/4.*/junit-4.*.jar"))[-1:]
    return junit + sorted(repository.glob("org/hamcrest/hamcrest*/*/hamcrest*.jar"))[-2:]


class JavaTools:
    """A JDK, and all jars in one folder that payloads can read; the folder goes with this object."""

    def __init__(self) -> None:
        """Compiles the harness, about a second. Raises MissingDependency where no JDK or JUnit is found."""
        self.jdk = find_jdk()
        jars = find_jars()
        self._folder = TemporaryFolder("tools", reachable_parent(), 0o755)
        self.folder = self._folder.path
        self._compile_harness(jars)
        for jar in jars:
            shutil.copy2(jar, self.folder / jar.name)
        self.jars = ("harness.jar", *(jar.name for jar in jars))
        self._archives: dict[str, list[str]] = {}

    def _compile_harness(self, jars: list[Path]) -> None:
        javac = [str(self.jdk / "bin/javac"), "-J-Xmx256m", "-J-XX:+UseSerialGC", "-J-XX:TieredStopAtLevel=1"]
        folder = TemporaryFolder("classes")
        path, classes = os.pathsep.join(map(str, jars)), folder.path / "classes"
        classes.mkdir()
        said = subprocess.run(
            [*javac, "-proc:none", "-cp", path, "-d", str(classes), *map(str, SOURCES)],
            capture_output=True,
            timeout=120,
        )
        if said.returncode != 0:
            raise MissingDependency(f"{self.jdk} cannot compile our harness: {said.stderr.decode()[:500]}")
        with zipfile.ZipFile(self.folder / "harness.jar", "w") as jar:
            for file in sorted(classes.rglob("*.class")):
                jar.write(file, str(file.relative_to(classes)))
        folder.cleanup()

    def command(self, sandbox: Sandbox, program: str, *more: str) -> tuple[list[str], dict[str, str]]:
        """The JVM up to the arguments of one of our programs, and the tools that `sandbox` must open for it.

        `more`: folders with classes beside the libraries.
        """
        if sandbox.name not in self._archives:
            self._archives[sandbox.name] = self._archived(sandbox)
        java, tools = self._java()
        return [*java, *self._archives[sandbox.name], *self._program(program, *more)], tools

    def _java(self) -> tuple[list[str], dict[str, str]]:
        tools = {"library": str(self.folder)}
        if self.jdk.is_relative_to("/usr"):
            return [str(self.jdk / "bin/java"), *FLAGS], tools
        return ["{jdk}/bin/java", *FLAGS], {**tools, "jdk": str(self.jdk)}

    def _program(self, name: str, *more: str) -> list[str]:
        return ["-cp", ":".join([*(f"{{library}}/{jar}" for jar in self.jars), *more]), f"judge.{name}"]

    def _archived(self, sandbox: Sandbox) -> list[str]:
        """A flag that spares every later JVM the loading of compiler and JUnit (625 ms become 390).

        The archive holds paths, so it is made by a first run inside the sandbox; none where that fails.
        """
        java, tools = self._java()
        argv = [
            *java,
            "-XX:ArchiveClassesAtExit=harness.jsa",
            *self._program("Harness"),
            "WarmUpTest",
            "WarmUpTest.java",
        ]
        files = {"nonce": b"warm-up", "WarmUpTest.java": WARM_UP}
        ran = sandbox.run(argv, files, Limits(wall_s=60, processes=PROCESSES), results=["harness.jsa"], tools=tools)
        if "harness.jsa" not in ran.results:
            return []
        name = f"{sandbox.name}.jsa"
        (self.folder / name).write_bytes(ran.results["harness.jsa"])
        return [f"-XX:SharedArchiveFile={{library}}/{name}"]
