#!/usr/bin/env python3
"""The workers' sandbox: on by default, and a violation costs its worker only."""

import os
import signal
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import procfs  # noqa: E402
import puppet  # noqa: E402
import sinkhole  # noqa: E402
import tap  # noqa: E402
from mailer import Client  # noqa: E402
from sinkhole import Daemon, wait_for  # noqa: E402

FILTERED = "2"


def built():
    with open(os.path.join(sinkhole.BUILD, "config.h"), encoding="ascii") as file:
        return "#define HAVE_SECCOMP 1" in file.read()


def need_sandbox():
    if not built():
        raise unittest.SkipTest("this build has no sandbox (sanitizers, coverage)")


class Posture(unittest.TestCase):
    def test_every_worker_is_in_it_and_the_master_is_not(self):
        need_sandbox()
        with Daemon(workers="4..8") as daemon:
            daemon.wait_status(lambda s: s["workers"]["idle"] >= 4, "four settled workers")
            workers = daemon.workers().values()
            self.assertEqual({procfs.status(pid)["Seccomp"] for pid in workers}, {FILTERED})
            self.assertEqual(procfs.status(daemon.pid)["Seccomp"],
                             procfs.status(os.getpid())["Seccomp"])

    def test_no_sandbox(self):
        with Daemon(workers="4..8", args=["--no-sandbox"]) as daemon:
            daemon.wait_status(lambda s: s["workers"]["idle"] >= 4, "four settled workers")
            self.assertEqual({procfs.status(pid)["Seccomp"] for pid in daemon.workers().values()},
                             {procfs.status(os.getpid())["Seccomp"]})


class Violations(unittest.TestCase):
    """A client's code in a worker, played by ptrace(2)."""

    def setUp(self):
        need_sandbox()
        if puppet.missing():
            self.skipTest(puppet.missing())

    def violate(self, call, *arguments):
        with Daemon("bounce", workers="8..64") as daemon:
            clients = [Client(daemon.port).hello() for _ in range(10)]
            busy = [w["pid"] for w in daemon.ctl_json("workers") if w["client"]]
            self.assertEqual(len(busy), 10)
            puppet.make_call(busy[0], call, *arguments)
            died = daemon.wait_event("worker_died", pid=busy[0], signal=signal.SIGSYS,
                                     syscall=call, client="127.0.0.1")
            served = sum(self.answers(client) for client in clients)
            self.assertEqual(served, 9, "all but the session of that worker")
            wait_for(lambda: busy[0] not in daemon.workers().values(), "its slot is free again")
            Client(daemon.port).hello().mail(code=550)
            clients += [Client(daemon.port).hello() for _ in range(10)]  # and taken by another
            self.dies_of_something_else(daemon, daemon.workers()[died["slot"]])
            for client in clients:
                client.close()

    def dies_of_something_else(self, daemon, pid):
        procfs.kill(pid)
        self.assertNotIn("syscall", daemon.wait_event("worker_died", pid=pid))

    def answers(self, client):
        try:
            client.send("MAIL FROM:<>\r\n")
            return client.reply()[0] == 250
        except ConnectionError:
            return False

    def test_opening_a_file(self):
        self.violate("openat", 0, 0, 0, 0)

    def test_making_a_socket(self):
        self.violate("socket", 2, 1, 0)

    def test_running_a_program(self):
        self.violate("execve", 0, 0, 0)

    def test_killing_the_neighbours(self):
        everybody = 2**64 - 1
        self.violate("kill", everybody, signal.SIGTERM)


if __name__ == "__main__":
    tap.main()
