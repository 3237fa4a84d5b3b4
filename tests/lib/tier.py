"""The sinkhole's image, run as the ECS task runs it: with all taken away that it does not need.

    with tier.Network() as network, tier.Tier(network=network.name) as box:
        box.ctl("mode", "set", "accept")

Each line that the container writes to its standard output is checked against docs/log-events.md.
"""

import functools
import itertools
import json
import os
import shutil
import signal
import subprocess
import time
import unittest

import eventdoc
import podman
import procfs
from sinkhole import BUILD, PATIENCE, REPO, wait_for

BASE = "localhost/sinkhole-base:dev"
MEMORY = 128 * 1024 * 1024
UNPRIVILEGED_PORTS = "net.ipv4.ip_unprivileged_port_start=0"
POSTURE = (
    "--read-only", "--read-only-tmpfs=false", "--cap-drop=ALL",
    "--security-opt=no-new-privileges", f"--memory={MEMORY}",
    "--tmpfs=/run:rw,nosuid,nodev,noexec,size=16m",
    "--tmpfs=/tmp:rw,nosuid,nodev,noexec,size=8m")

_numbers = itertools.count(1)


def unique(kind):
    """A name that no other test and no other run uses."""
    return f"sinkhole-{kind}-{os.getpid()}-{next(_numbers)}"


def build(directory, *tag, **env):
    """Runs container/build; returns the image's id."""
    done = subprocess.run([os.path.join(REPO, "container/build"), directory, *tag], text=True,
                          capture_output=True, check=False, stdin=subprocess.DEVNULL,
                          env={**os.environ, **env})
    if done.returncode != 0:
        raise RuntimeError(f"container/build failed\n{done.stderr}")
    with open(os.path.join(directory, "id"), encoding="ascii") as file:
        return file.read().strip()


@functools.cache
def image():
    """The image of what is in the tree; skips the test where none can be built or run."""
    reason = podman.missing()
    if not reason and not shutil.which("mmdebstrap"):
        reason = "mmdebstrap is not installed (make deps image)"
    if reason:
        raise unittest.SkipTest(reason)
    return build(os.path.join(BUILD, "image"))


class Network:
    """A bridge of its own; a context manager. gateway is this machine's address there."""

    def __init__(self):
        image()
        self.name = unique("net")

    def __enter__(self):
        podman.podman("network", "create", "--disable-dns", self.name)
        self.gateway = podman.podman("network", "inspect", "--format",
                                     "{{(index .Subnets 0).Gateway}}", self.name).stdout.strip()
        return self

    def __exit__(self, *_):
        podman.podman("network", "rm", "--force", self.name)


class Box:
    """A running container; a context manager."""

    def __init__(self, kind):
        self.name = unique(kind)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        podman.remove(self.name)

    @property
    def pid(self):
        return podman.pid(self.name)

    @property
    def address(self):
        return podman.address(self.name)

    def run(self, *command, user=None, check=False):
        """A command inside; the CompletedProcess."""
        flags = ["--user", user] if user else []
        return podman.podman("exec", *flags, self.name, *command, check=check)


class Sender(Box):
    """A container that has swaks, on the network of the tier."""

    def __init__(self, network):
        super().__init__("sender")
        swaks = shutil.which("swaks")
        if not swaks:
            raise unittest.SkipTest("swaks is not installed")
        podman.run("--detach", "--name", self.name, "--network", network, "--init",
                   f"--volume={swaks}:/usr/bin/swaks:ro", BASE, "sleep", "infinity")

    def swaks(self, server, *args):
        return self.run("swaks", "--server", server, "--from", "from@example.test", "--to",
                        "nobody@sinkhole.test", "--helo", "sender.example.test", *args)


class Tier(Box):
    """The sinkhole. Keyword arguments: env, network (a name), flags (more for podman), posture and
    sysctl (what it runs under), wait (False: it need not come up), healthcheck (as podman.run)."""

    def __init__(self, *, env=None, network=None, flags=(), posture=POSTURE,
                 sysctl=UNPRIVILEGED_PORTS, wait=True, healthcheck=False):
        super().__init__("tier")
        variables = [f"--env={name}={value}" for name, value in (env or {}).items()]
        podman.run("--detach", "--name", self.name, *posture, *flags, *variables,
                   *([f"--network={network}"] if network else []),
                   *([f"--sysctl={sysctl}"] if sysctl else []), image(),
                   healthcheck=healthcheck)
        if wait:
            self.wait_event("ready")

    def __exit__(self, kind, *rest):
        misfits = self.misfits() if kind is None else []
        super().__exit__(kind, *rest)
        if misfits:
            raise AssertionError("not as docs/log-events.md says:\n  " + "\n  ".join(misfits))

    # -- what it says ----------------------------------------------------------------------

    def output(self):
        """(standard output, standard error)"""
        return podman.logs(self.name)

    def misfits(self):
        lines = self.output()[0].splitlines(keepends=True)
        return [wrong for line in lines if (wrong := eventdoc.judge(line.encode())[1])]

    def events(self, name, **fields):
        found = (json.loads(line) for line in self.output()[0].splitlines())
        return [e for e in found if e["event"] == name
                and all(e.get(k) == v for k, v in fields.items())]

    def wait_event(self, name, count=1, **fields):
        def look():
            found = self.events(name, **fields)
            return found[count - 1] if len(found) >= count else None
        try:
            return wait_for(look, f"{count} x {name} {fields}")
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.output()}") from None

    # -- what it does ----------------------------------------------------------------------

    def ctl(self, *args, check=True):
        return self.run("sinkholectl", *args, check=check)

    def status(self):
        return json.loads(self.ctl("status", "--json").stdout)

    def set_mode(self, value):
        """For the file source: returns when it is served."""
        self.ctl("mode", "set", value, "--wait", "--timeout", str(PATIENCE))

    def signal(self, number):
        procfs.kill(self.pid, number)

    def wait_end(self):
        """Its exit code, once it has ended."""
        return int(podman.podman("wait", self.name).stdout)

    def stop(self):
        """SIGTERM to its first process; returns (exit code, seconds that it took)."""
        start = time.monotonic()
        self.signal(signal.SIGTERM)
        return self.wait_end(), time.monotonic() - start

    def processes(self):
        """The processes in the container: [(pid of this machine, command line)]"""
        root = self.pid
        return [(pid, procfs.read(pid, "cmdline").replace(b"\0", b" ").decode().strip())
                for pid in [root, *procfs.tree(root)]]

    def supervisor(self):
        return next(pid for pid, line in self.processes() if line.startswith("s6-supervise "))

    def cgroup(self, names):
        """The text of a file of its memory cgroup, by its name in version 1 and in version 2."""
        rows = procfs.read(self.pid, "cgroup").decode().splitlines()
        for row in rows:
            _, controllers, path = row.split(":", 2)
            places = {"memory": ("/sys/fs/cgroup/memory", 0), "": ("/sys/fs/cgroup", 1)}
            if controllers in places:
                root, which = places[controllers]
                file = f"{root}{path}/{names[which]}"
                if os.path.exists(file):
                    with open(file, encoding="ascii") as text:
                        return text.read()
        raise unittest.SkipTest(f"no cgroup here has {names}")

    def memory(self):
        """Bytes: what it holds now without cached files, and the most so far with them. Those
        cost nobody anything, and whose they are depends on who read them first."""
        now = int(self.cgroup(("memory.usage_in_bytes", "memory.current")))
        peak = int(self.cgroup(("memory.max_usage_in_bytes", "memory.peak")))
        rows = map(str.split, self.cgroup(("memory.stat", "memory.stat")).splitlines())
        cached = sum(int(figure) for name, figure in rows if name in ("active_file", "inactive_file"))
        return now - cached, peak
