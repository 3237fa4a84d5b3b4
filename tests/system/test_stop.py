#!/usr/bin/env python3
"""Stopping: who is told what, how long it takes, and that nothing is left."""

import os
import signal
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import mailer  # noqa: E402
import procfs  # noqa: E402
import tap  # noqa: E402
from mailer import Client  # noqa: E402
from sinkhole import Daemon, wait_for  # noqa: E402


class Sigterm(unittest.TestCase):
    def test_nothing_is_left(self):
        with Daemon(workers="16..32") as daemon:
            self.assertGreaterEqual(len(daemon.left()), 18)
            self.assertEqual(daemon.stop(), 0)
            self.assertEqual(daemon.left(), [])
            self.assertEqual([e["event"] for e in daemon.events][-2:], ["stopping", "stopped"])
            with self.assertRaises(ConnectionRefusedError):
                Client(daemon.port)

    def test_sigint_stops_as_well(self):
        with Daemon() as daemon:
            self.assertEqual(daemon.stop(signal.SIGINT), 0)
            self.assertEqual(daemon.find("stopping")[0]["why"], "SIGINT")

    def test_idle_sessions_are_told_421(self):
        with Daemon(workers="8..32") as daemon:
            clients = [Client(daemon.port).hello() for _ in range(10)]
            begin = time.monotonic()
            self.assertEqual(daemon.stop(), 0)
            self.assertLess(time.monotonic() - begin, 15)
            for client in clients:
                with client:
                    self.assertEqual(client.reply()[0], 421)
            self.assertEqual(len(daemon.find("session", end="shutdown")), 10)

    def test_a_transaction_may_end(self):
        with Daemon("accept-log", args=["--drain", "25"]) as daemon:
            with Client(daemon.port).hello() as client:
                client.mail()
                client.command("DATA", 354)
                client.send("Message-ID: <during@stop>\r\n")
                daemon.process.send_signal(signal.SIGTERM)
                daemon.wait_event("stopping")
                time.sleep(0.3)  # the worker is told again every 250 ms
                client.send("\r\nstill here\r\n.\r\n")
                client.expect(250)
                self.assertEqual(client.reply()[0], 421)
            self.assertEqual(daemon.process.wait(20), 0)
            daemon.stop()
            self.assertEqual(daemon.find("accepted")[0]["message_id"], "<during@stop>")

    def test_a_transaction_that_outlives_the_drain_time(self):
        with Daemon("accept", args=["--drain", "1"]) as daemon:
            with Client(daemon.port).hello() as client:
                client.mail()
                client.command("DATA", 354)
                begin = time.monotonic()
                self.assertEqual(daemon.stop(), 0)
                took = time.monotonic() - begin
                self.assertGreater(took, 0.9)
                self.assertLess(took, 15)
                self.assertEqual(client.reply()[0], 421)

    def test_nobody_new_is_served_while_it_drains(self):
        with Daemon("accept", args=["--drain", "20"]) as daemon:
            with Client(daemon.port).hello() as client:
                client.mail()
                daemon.process.send_signal(signal.SIGTERM)
                daemon.wait_event("stopping")
                wait_for(lambda: self.is_refused(daemon.port), "the socket is closed")
                client.command("DATA", 354)
                client.send(".\r\n")
                client.expect(250)
            self.assertEqual(daemon.process.wait(20), 0)

    def is_refused(self, port):
        try:
            Client(port, greeting=None).close()
        except ConnectionError:
            return True
        return False

    def test_a_second_sigterm_changes_nothing(self):
        with Daemon("accept", args=["--drain", "20"]) as daemon:
            with Client(daemon.port).hello() as client:
                client.mail()
                for _ in range(3):
                    daemon.process.send_signal(signal.SIGTERM)
                daemon.wait_event("stopping")
                client.command("DATA", 354)
                client.send(".\r\n")
                client.expect(250)
            self.assertEqual(daemon.process.wait(20), 0)

    def test_workers_that_are_still_being_made(self):
        """A stop that comes before a worker has its handlers is obeyed, and is no accident."""
        with Daemon(workers="64..64") as daemon:
            daemon.process.send_signal(signal.SIGTERM)
            daemon.process.wait(20)
            for pause in range(20):
                daemon.start(wait=False)
                time.sleep(pause / 1000)
                wait_for(lambda: procfs.tree(daemon.pid), "it has children")
                daemon.process.send_signal(signal.SIGTERM)
                self.assertEqual(daemon.process.wait(20), 0)
                daemon._join()
            self.assertEqual(daemon.find("worker_died"), [])

    def test_restart_on_the_same_port_at_once(self):
        with Daemon("accept") as first:
            self.assertEqual(mailer.swaks(first).returncode, 0)
            first.stop()
            with Daemon("accept", args=["--bind-port", str(first.port)]) as second:
                self.assertEqual(second.port, first.port)
                self.assertEqual(mailer.swaks(second).returncode, 0)


if __name__ == "__main__":
    tap.main()
