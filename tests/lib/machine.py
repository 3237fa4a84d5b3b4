"""A Debian machine with systemd for tests: a container with no network but its own loopback, made by
`make machine` (see tests/supervise/machine)."""

import os
import shutil
import subprocess
import unittest

import podman
import sinkhole

IMAGE = "localhost/sinkhole-machine:dev"
BOOT_SECONDS = 120


def make():
    """Makes the image where it is not there; skips the test where that cannot be."""
    reason = podman.missing()
    if reason or not shutil.which("mmdebstrap"):
        raise unittest.SkipTest(reason or "mmdebstrap is not installed (make deps)")
    made = subprocess.run(["make", "-s", "-C", sinkhole.REPO, "machine"], check=False,
                          capture_output=True, text=True)
    if made.returncode != 0:
        raise unittest.SkipTest(f"no machine could be made: {made.stderr.strip()[-300:]}")


class Machine:
    """One container; start() boots it."""

    def __init__(self, purpose):
        self.name = f"sinkhole-{purpose}-{os.getpid()}"

    def start(self, *flags):
        podman.run("--detach", "--name", self.name, "--systemd=always", "--network=none",
                   "--hostname=devbox", *flags, IMAGE, "/sbin/init")
        sinkhole.wait_for(self._booted, "systemd has started", BOOT_SECONDS)

    def _booted(self):
        done = podman.execute(self.name, "systemctl", "is-system-running", check=False)
        return done.stdout.strip() in ("running", "degraded")

    def execute(self, *words, check=True):
        """A command, as root; what it printed."""
        return podman.execute(self.name, *words, check=check).stdout

    def listens(self, port):
        """Without connecting, which would activate."""
        return podman.execute(self.name, "grep", "-q", f":{port:04X} .* 0A ", "/proc/net/tcp",
                              check=False).returncode == 0

    def stop(self):
        podman.remove(self.name)
