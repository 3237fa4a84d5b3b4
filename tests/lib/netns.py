"""A network namespace with one wire to this machine, for a container to live in."""

import os
import shutil
import subprocess


def missing():
    """Why there can be none here; None when there can."""
    if os.geteuid() != 0:
        return "network namespaces need root here"
    if not shutil.which("ip"):
        return "ip is not installed (iproute2)"
    return None


def _ip(*args, check=True):
    subprocess.run(["ip", *args], check=check, capture_output=True)


class Namespace:
    """A context manager: here is this machine's end, there the other one; path names it."""

    def __init__(self, number=None):
        number = os.getpid() if number is None else number
        self.name, self._wire = f"sinkhole-{number}", f"sh{number}"
        net = f"10.213.{number // 64 % 256}.{number % 64 * 4}".rsplit(".", 1)
        self.here, self.there = (f"{net[0]}.{int(net[1]) + host}" for host in (1, 2))
        self.path = f"/run/netns/{self.name}"

    def __enter__(self):
        try:
            self._make()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _make(self):
        _ip("netns", "add", self.name)
        _ip("link", "add", self._wire, "type", "veth", "peer", "name", "eth0",
            "netns", self.name)
        _ip("address", "add", f"{self.here}/30", "dev", self._wire)
        _ip("link", "set", self._wire, "up")
        for args in (("address", "add", f"{self.there}/30", "dev", "eth0"),
                     ("link", "set", "eth0", "up"), ("link", "set", "lo", "up")):
            _ip("-netns", self.name, *args)

    def __exit__(self, *_):
        _ip("link", "delete", self._wire, check=False)
        _ip("netns", "delete", self.name, check=False)
