"""A network namespace of our own, so that neither firewall rules nor connection tracking of this
machine get in the way: they cost time, and a full table of connections drops packets on loopback
too, a reset among them, which leaves a client waiting for ever."""

import fcntl
import os
import shutil
import socket
import struct
import subprocess
import sys

SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1
MARK = "SINKHOLE_TESTS_QUIET"


def raise_loopback():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        row = struct.pack("16sH22x", b"lo", 0)
        flags = struct.unpack("16sH22x", fcntl.ioctl(control, SIOCGIFFLAGS, row))[1]
        fcntl.ioctl(control, SIOCSIFFLAGS, struct.pack("16sH22x", b"lo", flags | IFF_UP))


def enter():
    """Starts the calling script again inside one, where that is allowed. Returns whether it is
    inside."""
    if MARK in os.environ:
        raise_loopback()
        return True
    can = shutil.which("unshare") and subprocess.run(
        ["unshare", "--net", "true"], stderr=subprocess.DEVNULL, check=False).returncode == 0
    if can:
        os.environ[MARK] = "1"
        os.execvp("unshare", ["unshare", "--net", sys.executable, *sys.argv])
    return False
