"""A real sshd on this machine's loopback, with keys and a configuration of its own; it is ended by its number."""

from __future__ import annotations

import getpass
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[2]
SSHD = shutil.which("sshd") or shutil.which("sshd", path="/usr/sbin:/usr/local/sbin")
NEEDED = [
    name
    for name, place in {
        "openssh-server": SSHD,
        "openssh-client": shutil.which("ssh"),
        "rsync": shutil.which("rsync"),
    }.items()
    if not place
]
WHY = f"not installed: {' '.join(NEEDED)} (apt-get install -y --no-install-recommends openssh-server openssh-client rsync)"
HOST = "far"

SERVER = """
Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/user_key.pub
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
MaxStartups 100
SetEnv PYTHONPATH={root} OMP_NUM_THREADS=1 OMP_WAIT_POLICY=PASSIVE HF_HUB_OFFLINE=1
"""
CLIENT = """
Host {host}
    HostName 127.0.0.1
    Port {port}
    User {user}
    IdentityFile {folder}/user_key
    IdentitiesOnly yes
    UserKnownHostsFile {folder}/known_hosts
    StrictHostKeyChecking yes
    ForwardAgent yes
"""


class Sshd:
    """`config`: the client's configuration, in which this machine is called `far`."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        self.folder, self.config = folder, folder / "config"
        for name in ("host_key", "user_key"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)], check=True)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        told = {"folder": folder, "port": self.port, "root": ROOT, "host": HOST, "user": getpass.getuser()}
        (folder / "server").write_text(SERVER.format(**told))
        self.config.write_text(CLIENT.format(**told))
        self.knows_host(True)
        self.process = None
        self.start()

    def knows_host(self, is_known: bool) -> None:
        kind, key = (self.folder / "host_key.pub").read_text().split()[:2]
        (self.folder / "known_hosts").write_text(f"[127.0.0.1]:{self.port} {kind} {key}\n" if is_known else "")

    def settings(self, **more):
        there = str(self.folder / "there")
        python = {"python": sys.executable, "config": str(self.config)}
        return {"name": "ssh", "host": HOST, "folder": there, "every_s": 0.3, **python, **more}

    def start(self) -> None:
        if os.getuid() == 0:
            Path("/run/sshd").mkdir(exist_ok=True)  # where sshd separates its privileges
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen([SSHD, "-D", "-e", "-f", str(self.folder / "server")], stderr=log)
        for _ in range(200):
            with socket.socket() as tried:
                if tried.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        raise AssertionError((self.folder / "log").read_text())

    def suspend(self) -> None:
        """Let it answer nobody, as a machine behind a dead cable; `stop` ends it all the same."""
        self.process.send_signal(signal.SIGSTOP)

    def stop(self) -> None:
        """Cut all connections, as a cable does: the server and what serves each connection; no worker is among them."""
        if self.process is not None:
            connections = [
                each for each in psutil.Process(self.process.pid).children(recursive=True) if each.name() == "sshd"
            ]
            for each in [self.process, *connections]:
                each.kill()
            self.process.wait()
            self.process = None
