"""Sessions held at once inside a limit of memory: what a small container has."""

import os
import socket
import subprocess
import time

import process
from contenders import Sinkholed

LIMIT = 128 << 20


class MemoryGroup:
    """A memory control group of our own, of either version; for root."""

    FILES = {"/sys/fs/cgroup/memory": ("memory.limit_in_bytes", "memory.max_usage_in_bytes"),
             "/sys/fs/cgroup": ("memory.max", "memory.peak")}

    def __init__(self, limit):
        for root, (ceiling, self.peak_file) in self.FILES.items():
            self.path = f"{root}/sinkhole-bench-{os.getpid()}"
            if not os.path.isdir(root):
                continue
            try:
                os.mkdir(self.path)
                self.write(ceiling, limit)
                return
            except OSError:
                self.remove()
        raise OSError("no memory control group can be made here")

    def write(self, name, value):
        with open(f"{self.path}/{name}", "w", encoding="ascii") as file:
            file.write(str(value))

    def peak(self):
        return int(process.read(f"{self.path}/{self.peak_file}") or 0)

    def remove(self):
        for _ in range(100):
            try:
                os.rmdir(self.path)
                return
            except FileNotFoundError:
                return
            except OSError:
                time.sleep(0.05)


class Confined(Sinkholed):
    """A daemon for many sessions, in a group from its first moment on."""

    group = None

    def start(self, at_once):
        group = self.group
        log = open(f"{self.scratch.name}/log", "wb")
        with log:
            return subprocess.Popen(
                [self.place.program("sinkholed"), "--bind-host", "127.0.0.1", "--bind-port",
                 str(self.port), "--run-dir", f"{self.scratch.name}/run", "--drain", "0",
                 "--mode-source", "static:accept", "--workers", f"8..{at_once + 8}"],
                stdout=log, preexec_fn=lambda: group.write("cgroup.procs", os.getpid()))


def open_transaction(port):
    """A client in the middle of a message."""
    client = socket.create_connection(("127.0.0.1", port), 30)
    file = client.makefile("rb")
    answers = [file.readline()[:3]]
    for command in (b"EHLO a\r\n", b"MAIL FROM:<>\r\n", b"RCPT TO:<a@b>\r\n", b"DATA\r\n"):
        client.sendall(command)
        line = file.readline()
        while line[3:4] == b"-":
            line = file.readline()
        answers.append(line[:3])
    client.sendall(b"Subject: held\r\n\r\n" + b"x" * 2000)
    return client, answers == [b"220", b"250", b"250", b"250", b"354"]


def hold(place, count):
    """Opens so many transactions; what they take while they are all there."""
    try:
        Confined.group = MemoryGroup(LIMIT)
    except OSError as reason:
        return {"skipped": str(reason)}
    try:
        server = Confined(place, count)
        try:
            clients = [open_transaction(server.port) for _ in range(count)]
            time.sleep(0.5)
            found = {"sessions": sum(good for _, good in clients),
                     "limit_mb": LIMIT >> 20, "pss_mb": round(server.pss_kb() / 1024, 1),
                     "peak_mb": round(Confined.group.peak() / (1 << 20), 1)}
            for client, _ in clients:
                client.close()
            return found
        finally:
            server.stop()
    finally:
        Confined.group.remove()
