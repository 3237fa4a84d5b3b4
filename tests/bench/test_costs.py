#!/usr/bin/env python3
"""What costs can be counted without a clock: system calls of a session, wake-ups of the idle."""

import collections
import os
import re
import shutil
import subprocess
import sys
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(os.path.dirname(HERE), "lib")]
import procfs  # noqa: E402
import tap  # noqa: E402
from mailer import MESSAGE, Client  # noqa: E402
from sinkhole import Daemon, wait_for  # noqa: E402

# Of a session with one message: five commands and the message are read, the greeting and a reply to
# each are sent, the log's lines go out in one write. A client that comes while a worker is on its
# way back to waiting goes to another one; the first then looks for it in vain: hence the twos.
MOST = {"epoll_wait": 2, "accept4": 2, "read": 6, "sendto": 7, "write": 1, "close": 1}


def one_session(port, number):
    with Client(port) as client:
        client.hello().mail()
        client.command("DATA", 354)
        client.send(MESSAGE.format(number) + ".\r\n")
        client.expect(250)
        client.command("QUIT", 221)
        assert client.at_end()


class Calls(unittest.TestCase):
    SESSIONS = 50

    def trace(self, daemon, file):
        """strace on all workers; returns the process once it is attached to them."""
        pids = list(daemon.workers().values())
        tracer = subprocess.Popen(["strace", "-qq", "-o", file,
                                   *(f"-p{pid}" for pid in pids)])
        wait_for(lambda: all(procfs.status(pid)["TracerPid"] == str(tracer.pid)
                             for pid in pids), "strace is attached")
        return tracer

    def test_a_session_makes_no_call_too_many(self):
        if not shutil.which("strace") or os.geteuid() != 0:
            self.skipTest("strace of workers needs strace and root")
        with Daemon("accept", workers="8..8") as daemon:
            daemon.wait_status(lambda s: s["workers"]["idle"] == 8, "eight settled workers")
            file = os.path.join(daemon.dir, "calls")
            tracer = self.trace(daemon, file)
            for number in range(self.SESSIONS):
                one_session(daemon.port, number)
            daemon.wait_event("session", count=self.SESSIONS)
            tracer.terminate()
            tracer.wait()
            with open(file, encoding="utf-8", errors="replace") as lines:
                calls = collections.Counter(re.findall(r"^\d+ +(\w+)\(", lines.read(), re.M))
        print(f"# of {self.SESSIONS} sessions: {dict(calls)}")
        for name, count in MOST.items():
            most = count * self.SESSIONS + 2 * 8  # each worker may be met in the middle
            self.assertLessEqual(calls.pop(name), most, name)
        others = sum(calls.values())
        self.assertLessEqual(others, 2 * 8, f"calls that no session needs: {calls}")


class Idle(unittest.TestCase):
    def test_nobody_wakes_idle_workers(self):
        with Daemon("accept", workers="8..8") as daemon:
            daemon.wait_status(lambda s: s["workers"]["idle"] == 8, "eight settled workers")
            pids = list(daemon.workers().values())
            before = [procfs.status(pid)["voluntary_ctxt_switches"] for pid in pids]
            time.sleep(3)
            after = [procfs.status(pid)["voluntary_ctxt_switches"] for pid in pids]
            self.assertEqual(before, after)

    def test_a_client_wakes_one_worker(self):
        with Daemon("accept", workers="8..8") as daemon:
            daemon.wait_status(lambda s: s["workers"]["idle"] == 8, "eight settled workers")
            pids = list(daemon.workers().values())
            before = [procfs.status(pid)["voluntary_ctxt_switches"] for pid in pids]
            one_session(daemon.port, 1)
            daemon.wait_event("session")
            after = [procfs.status(pid)["voluntary_ctxt_switches"] for pid in pids]
            self.assertEqual(sum(a != b for a, b in zip(before, after)), 1)


if __name__ == "__main__":
    tap.main()
