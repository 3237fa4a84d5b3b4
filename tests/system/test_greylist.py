#!/usr/bin/env python3
"""The greylist: one for all workers, for IPv4 and IPv6, and it outlives the daemon."""

import os
import socket
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import procfs  # noqa: E402
import tap  # noqa: E402
from mailer import Client  # noqa: E402
from sinkhole import Daemon, wait_for  # noqa: E402


def answer(daemon, source, host="127.0.0.1"):
    """What a recipient gets in a session from this address."""
    with Client(daemon.port, host, source=source).hello() as client:
        client.command("MAIL FROM:<>", 250)
        client.send("RCPT TO:<a@b>\r\n")
        return client.reply()[0]


class Greylist(unittest.TestCase):
    def test_first_421_then_250_for_each_address_on_any_worker(self):
        with Daemon("greylist", workers="8..16") as daemon:
            # The first worker is kept busy, so that others have to know what it saw.
            addresses = [f"127.0.0.{n}" for n in range(2, 12)]
            self.assertEqual([answer(daemon, a) for a in addresses], [421] * 10)
            held = []
            for address in addresses:
                self.assertEqual(answer(daemon, address), 250)
                held.append(Client(daemon.port))
            used = [w for w in daemon.ctl_json("workers") if w["sessions"] > 0]
            for client in held:
                client.close()
            self.assertGreater(len(used), 4)
            self.assertEqual(daemon.status()["greylist"], 10)

    def test_whole_session_of_the_first_connection(self):
        with Daemon("greylist") as daemon:
            with Client(daemon.port).hello() as client:
                self.assertIn("4.7.1", client.mail(code=421))
                client.command("RCPT TO:<b@b>", 421)
            self.assertEqual(answer(daemon, "127.0.0.1"), 250)

    def test_ipv6(self):
        try:
            socket.create_server(("::1", 0), family=socket.AF_INET6).close()
        except OSError as error:
            self.skipTest(f"no IPv6 loopback address here: {error}")
        with Daemon("greylist", host="::1") as daemon:
            self.assertEqual([answer(daemon, "::1", "::1") for _ in range(3)], [421, 250, 250])
            entry = daemon.ctl_json("greylist", "list")[0]
            self.assertEqual((entry["client"], entry["attempts"]), ("::1", 3))
            self.assertEqual(daemon.wait_event("session")["client"], "::1")

    def test_both_families_of_one_daemon(self):
        with Daemon("greylist", host="127.0.0.1") as daemon:
            self.assertEqual([answer(daemon, "127.0.0.1") for _ in range(2)], [421, 250])
            self.assertEqual(daemon.ctl_json("greylist", "list")[0]["client"], "127.0.0.1")

    def test_window_ends(self):
        with Daemon("greylist", args=["--greylist-window", "1"]) as daemon:
            self.assertEqual(answer(daemon, "127.0.0.1"), 421)
            self.assertEqual(answer(daemon, "127.0.0.1"), 250)
            wait_for(lambda: answer(daemon, "127.0.0.1") == 421, "it starts again")
            self.assertEqual(answer(daemon, "127.0.0.1"), 250)

    def test_killed_worker_takes_nothing_with_it(self):
        with Daemon("greylist") as daemon:
            self.assertEqual(answer(daemon, "127.0.0.2"), 421)
            for pid in daemon.workers().values():
                procfs.kill(pid)
            daemon.wait_event("worker_died", count=4)
            self.assertEqual(answer(daemon, "127.0.0.2"), 250)

    def test_outlives_restart_and_kill_of_the_daemon(self):
        with Daemon("greylist") as first:
            self.assertEqual(answer(first, "127.0.0.2"), 421)
            first.stop()
            with Daemon("greylist", run_dir=first.run_dir) as second:
                self.assertEqual(answer(second, "127.0.0.2"), 250)
                self.assertEqual(answer(second, "127.0.0.3"), 421)
                procfs.kill(second.pid)
                second.process.wait()
                wait_for(lambda: not second.left(), "the rest has left")
                with Daemon("greylist", run_dir=first.run_dir) as third:
                    self.assertEqual(answer(third, "127.0.0.3"), 250)

    def test_clear(self):
        with Daemon("greylist") as daemon:
            self.assertEqual([answer(daemon, "127.0.0.1") for _ in range(2)], [421, 250])
            self.assertIn("127.0.0.1", daemon.ctl("greylist", "list").stdout)
            self.assertIn("forgot 1 client", daemon.ctl("greylist", "clear").stdout)
            self.assertIn("empty", daemon.ctl("greylist", "list").stdout)
            self.assertEqual([answer(daemon, "127.0.0.1") for _ in range(2)], [421, 250])


if __name__ == "__main__":
    tap.main()
