#!/usr/bin/env python3
"""The event log: whole lines whatever happens, and nobody ever waits for its reader."""

import concurrent.futures
import json
import os
import socket
import struct
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import eventdoc  # noqa: E402
import mailer  # noqa: E402
import tap  # noqa: E402
from mailer import Client  # noqa: E402
from sinkhole import Daemon, wait_for  # noqa: E402


def deliver(port, name, count, extra=""):
    """One session with so many messages."""
    with Client(port).hello() as client:
        for number in range(count):
            client.mail(f"{name}-{number}@sinkhole.test")
            client.command("DATA", 354)
            client.send(extra + mailer.MESSAGE.format(f"{name}-{number}") + ".\r\n")
            client.expect(250)
        client.command("QUIT", 221)


class Whole(unittest.TestCase):
    def many(self, daemon, clients=16, messages=20, extra=""):
        with concurrent.futures.ThreadPoolExecutor(clients) as pool:
            jobs = [pool.submit(deliver, daemon.port, f"c{n}", messages, extra)
                    for n in range(clients)]
            for job in jobs:
                job.result()

    def check(self, daemon, clients=16, messages=20):
        daemon.wait_event("session", count=clients, messages=messages, end="quit")
        daemon.stop()
        self.assertEqual(daemon.misfits, [])
        accepted = daemon.find("accepted")
        self.assertEqual(len(accepted), clients * messages)
        self.assertEqual({e["message_id"] for e in accepted},
                         {f"<c{c}-{m}@example.test>" for c in range(clients)
                          for m in range(messages)})
        for event in accepted:
            self.assertEqual([f"<{event['rcpts'][0].replace('sinkhole', 'example')}>"],
                             [event["message_id"]])

    def test_16_clients_20_messages_into_a_pipe(self):
        with Daemon("accept-log", workers="8..32") as daemon:
            self.many(daemon)
            self.check(daemon)

    def test_long_lines_among_short_ones(self):
        """Above PIPE_BUF a write to a pipe may be torn: these lines have 9 kB."""
        extra = "".join(f"X-Filler-{n}: {'x' * 900}\r\n" for n in range(9))
        with Daemon("accept-log", workers="8..32", args=["--max-headers", "12000"]) as daemon:
            self.many(daemon, 8, 10, extra)
            self.check(daemon, 8, 10)
            lengths = [len(line) for line in daemon.lines if b'"accepted"' in line]
            self.assertGreater(max(lengths), 8192)

    def test_a_pipe_that_is_nearly_full(self):
        """Long lines have to wait for room, and short ones must not take it meanwhile."""
        read_end, write_end = os.pipe()
        got, extra = [], "".join(f"X-Filler-{n}: {'x' * 900}\r\n" for n in range(9))

        def read_slowly():
            with os.fdopen(read_end, "rb", buffering=0) as pipe:
                while chunk := pipe.read(2048):
                    got.append(chunk)
                    time.sleep(0.002)
        with concurrent.futures.ThreadPoolExecutor(17) as pool:
            reading = pool.submit(read_slowly)
            with Daemon("accept-log", workers="8..32", stdout=write_end,
                        args=["--max-headers", "12000"]) as daemon:
                os.close(write_end)
                for job in [pool.submit(deliver, daemon.port, f"c{n}", 20, extra * (n % 2))
                            for n in range(16)]:
                    job.result()
                dropped = daemon.status()["log_dropped"]
            reading.result()
        judged = [eventdoc.judge(line) for line in b"".join(got).splitlines(keepends=True)]
        self.assertEqual([wrong for _, wrong in judged if wrong], [])
        accepted = sum(event["event"] == "accepted" for event, _ in judged)
        self.assertLessEqual(accepted, 320)
        self.assertGreaterEqual(accepted + dropped, 320)

    def test_into_a_file(self):
        with Daemon("accept-log", workers="8..32") as daemon:
            daemon.stop()
            path = os.path.join(daemon.dir, "log")
            with open(path, "ab") as log, \
                 Daemon("accept-log", workers="8..32", stdout=log) as second:
                self.many(second, 8, 10)
            with open(path, "rb") as log:
                judged = [eventdoc.judge(line) for line in log]
            self.assertEqual([wrong for _, wrong in judged if wrong], [])
            self.assertEqual(sum(e["event"] == "accepted" for e, _ in judged), 80)

    def test_log_option_names_a_file(self):
        with Daemon("bounce") as daemon:
            path = os.path.join(daemon.dir, "events")
            with Daemon("bounce", args=["--log", path]) as second:
                self.assertEqual(mailer.swaks(second).returncode, 24)
            self.assertEqual(second.lines, [])
            with open(path, encoding="utf-8") as log:
                names = [json.loads(line)["event"] for line in log]
            self.assertEqual(names[-1], "stopped")
            self.assertIn("session", names)

    def test_hostile_bytes_are_quoted(self):
        with Daemon("bounce") as daemon, Client(daemon.port) as client:
            client.send(b'EHLO "\\\xff\x01\t\xc3\xa9\r\nMAIL FROM:<"a\\"b"@x.test>\r\nQUIT\r\n')
            for _ in range(3):
                client.reply()
            self.assertTrue(client.at_end())
            daemon.wait_event("session")
        self.assertEqual(daemon.misfits, [])


class Quiet(unittest.TestCase):
    def test_probes_are_counted_and_not_logged(self):
        with Daemon("defer") as daemon:
            for _ in range(5):
                Client(daemon.port).close()
            for _ in range(5):  # as load balancers do it: reset before the greeting is read
                probe = socket.create_connection(("127.0.0.1", daemon.port))
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                probe.close()
            for _ in range(3):
                self.assertEqual(daemon.ctl("check").returncode, 0)
            daemon.wait_status(lambda s: s["counters"]["probes"] == 13, "13 probes")
            self.assertEqual(daemon.status()["counters"]["sessions"], 0)
            daemon.stop()
            self.assertEqual(daemon.find("session"), [])

    def test_a_pipe_that_nobody_reads(self):
        read_end, write_end = os.pipe()
        try:
            with Daemon("accept-log", stdout=write_end, workers="4..16") as daemon:
                begin = time.monotonic()
                for batch in range(40):
                    deliver(daemon.port, f"b{batch}", 10)
                self.assertLess(time.monotonic() - begin, 60)
                status = daemon.wait_status(lambda s: s["log_dropped"] > 0, "lines are dropped")
                self.assertEqual(status["counters"]["messages"], 400)
                daemon.set_mode("bounce")
                self.assertEqual(mailer.swaks(daemon).returncode, 24)
                self.assertRegex(daemon.ctl("status").stdout, r"[1-9]\d* lines? dropped")
                self.assertEqual(daemon.stop(), 0)
                self.whole_lines(daemon, read_end, write_end)
        finally:
            os.close(read_end)

    def whole_lines(self, daemon, read_end, write_end):
        os.close(write_end)
        with os.fdopen(os.dup(read_end), "rb") as pipe:
            lines = pipe.read().splitlines(keepends=True)
        self.assertGreater(len(lines), 100)
        self.assertEqual([w for _, w in map(eventdoc.judge, lines) if w], [])
        self.assertTrue(daemon.process.returncode == 0)

    def test_a_terminal_that_is_held(self):
        """By Ctrl-S, or by a window that nobody draws."""
        ours, theirs = os.openpty()
        try:
            with Daemon("accept-log", stdout=theirs) as daemon:
                for batch in range(20):
                    deliver(daemon.port, f"b{batch}", 10)
                status = daemon.wait_status(lambda s: s["log_dropped"] > 0, "lines are dropped")
                self.assertEqual(status["counters"]["messages"], 200)
                self.assertEqual(daemon.stop(), 0)
        finally:
            os.close(theirs)
            os.close(ours)

    def test_a_reader_that_has_gone(self):
        read_end, write_end = os.pipe()
        with Daemon("accept-log", stdout=write_end) as daemon:
            os.close(write_end)
            os.close(read_end)
            deliver(daemon.port, "gone", 3)
            deliver(daemon.port, "gone", 3)
            daemon.wait_status(lambda s: s["counters"]["messages"] == 6, "six messages")
            self.assertEqual(daemon.status()["workers"]["deaths"], 0)

    def test_a_slow_reader_gets_all(self):
        """It reads later than lines come, but within the time that a line waits."""
        read_end, write_end = os.pipe()
        got = []

        def read_slowly():
            with os.fdopen(read_end, "rb", buffering=0) as pipe:
                while chunk := pipe.read(4096):
                    got.append(chunk)
                    time.sleep(0.002)
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            job = pool.submit(read_slowly)
            with Daemon("accept-log", stdout=write_end) as daemon:
                os.close(write_end)
                for batch in range(10):
                    deliver(daemon.port, f"s{batch}", 30)
                self.assertEqual(daemon.status()["log_dropped"], 0)
            job.result()
        events = [json.loads(line) for line in b"".join(got).splitlines()]
        self.assertEqual(sum(e["event"] == "accepted" for e in events), 300)


class Order(unittest.TestCase):
    def test_ready_is_logged_once_it_listens(self):
        with Daemon("defer") as daemon:
            ready = daemon.wait_event("ready")
            self.assertEqual(ready["listening"], [f"127.0.0.1:{daemon.port}"])
            self.assertEqual(ready["pid"], daemon.pid)

    def test_sessions_of_one_client_have_names_of_their_own(self):
        with Daemon("bounce") as daemon:
            for _ in range(30):
                with Client(daemon.port).hello() as client:
                    client.command("QUIT", 221)
            daemon.wait_event("session", count=30)
            wait_for(lambda: len({e["session"] for e in daemon.find("session")}) == 30,
                     "30 names")


if __name__ == "__main__":
    tap.main()
