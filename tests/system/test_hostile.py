#!/usr/bin/env python3
"""Clients that mean harm, or are broken: what each gets, and that others go on being served."""

import os
import random
import smtplib
import socket
import struct
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import mailer  # noqa: E402
import procfs  # noqa: E402
import sinkhole  # noqa: E402
import tap  # noqa: E402

MEGABYTE = 1 << 20


def deliver(daemon):
    """An honest client's message; it has to be taken, as soon as a worker is free."""
    def connected():
        try:
            return mailer.smtp(daemon)
        except smtplib.SMTPConnectError:
            return None
    with sinkhole.wait_for(connected, "a worker is free") as client:
        client.sendmail("from@example.test", ["to@sinkhole.test"], mailer.MESSAGE.format("honest"))


def to_data(client):
    client.hello().mail()
    client.command("DATA", 354)


def worker_memory(daemon):
    """The largest that any worker has been, in kilobytes."""
    return max(int(procfs.status(pid)["VmHWM"].split()[0]) for pid in daemon.workers().values())


class Hostile(unittest.TestCase):
    """A daemon in accept mode; behind each test the same workers must live and serve."""

    args = ()
    mode = "accept"
    workers = "4"

    def setUp(self):
        self.daemon = sinkhole.Daemon(self.mode, args=self.args, workers=self.workers).__enter__()
        self.addCleanup(self.stop)
        self.pids = sinkhole.wait_for(self.all_workers, "the workers have started")

    def all_workers(self):
        pids = self.daemon.workers()
        return pids if len(pids) == 4 else None

    def stop(self):
        try:
            deliver(self.daemon)
            self.assertEqual(self.daemon.workers(), self.pids)
            self.assertEqual(self.daemon.find("worker_died"), [])
        except BaseException:
            self.daemon.kill()
            raise
        finally:
            self.daemon.__exit__(None)

    def client(self, **more):
        client = mailer.Client(self.daemon.port, **more)
        self.addCleanup(client.close)
        return client

    def drip(self, client, byte=b"x"):
        """Sends a byte now and then, until the server speaks or goes."""
        deadline = time.monotonic() + sinkhole.PATIENCE
        client.socket.settimeout(0.05)
        while time.monotonic() < deadline:
            try:
                client.socket.send(byte)
                return client.socket.recv(4096)
            except socket.timeout:
                pass
            except ConnectionError:
                return b""
        raise AssertionError("the server still listens to a client that says nothing")


class Slow(Hostile):
    """Bytes that come, but far too slowly."""

    args = ("--command-timeout", "0.7", "--data-timeout", "5", "--data-total", "0.7")

    def test_a_command_a_byte_at_a_time(self):
        self.assertEqual(self.drip(self.client()),
                         b"421 4.4.2 Timeout, closing connection\r\n")
        self.daemon.wait_event("session", end="timeout", commands=0)

    def test_a_message_a_byte_at_a_time(self):
        client = self.client()
        to_data(client)
        self.assertEqual(self.drip(client), b"421 4.4.2 Timeout, closing connection\r\n")
        self.daemon.wait_event("attempt", code=421)

    def test_silent_ones_on_all_workers(self):
        silent = [self.client() for _ in range(4)]
        late = mailer.Client(self.daemon.port, greeting=None)
        self.addCleanup(late.close)
        late.expect(421)
        for client in silent:
            self.assertIn("4.4.2", client.expect(421))
            self.assertTrue(client.at_end())
        deliver(self.daemon)

    def test_replies_that_are_never_read(self):
        client = self.client()
        client.socket.settimeout(1)
        try:
            while True:
                client.socket.sendall(b"NOOP\r\n" * 10000)
        except OSError:
            pass  # the server has stopped reading, or has gone
        self.daemon.wait_event("session", end="timeout")


class Big(Hostile):
    """Far more bytes than anybody needs."""

    def test_a_message_of_a_gigabyte(self):
        client, line = self.client(), (b"x" * 1022 + b"\r\n") * 1024
        to_data(client)
        before = worker_memory(self.daemon)
        for _ in range(1024):
            client.socket.sendall(line)
        client.send(".\r\n")
        client.expect(250)
        self.daemon_memory_grew_less_than(before, 1024)
        client.command("QUIT", 221)
        self.daemon.wait_event("session", bytes=1024 * MEGABYTE, messages=1)

    def test_a_command_of_ten_megabytes(self):
        client = self.client()
        before = worker_memory(self.daemon)
        client.socket.sendall(b"x" * (10 * MEGABYTE))
        client.send("\r\n")
        self.assertEqual(client.expect(500), "5.5.2 Line too long")
        client.command("NOOP", 250)
        self.daemon_memory_grew_less_than(before, 1024)

    def test_a_header_of_ten_megabytes(self):
        self.daemon.set_mode("accept-log")
        client = self.client()
        to_data(client)
        client.send("Subject: " + "x" * (10 * MEGABYTE) + "\r\n\r\n.\r\n")
        client.expect(250)
        event = self.daemon.wait_event("accepted")
        self.assertTrue(event["headers_truncated"])
        self.assertLess(len(event["headers"][0][1]), 16 * 1024)

    def test_many_headers_that_grow_in_the_log(self):
        self.daemon.set_mode("accept-log")
        client = self.client()
        to_data(client)
        client.send(b"".join(b"X-%d: \x01\x02\x7f\xff\r\n" % n for n in range(10000)) + b"\r\n.\r\n")
        client.expect(250)
        self.assertTrue(self.daemon.wait_event("accepted")["headers_truncated"])

    def test_a_million_pipelined_commands(self):
        count, heard = 1_000_000, 0
        client = self.client()
        sender = threading.Thread(target=client.socket.sendall, args=(b"NOOP\r\n" * count,))
        sender.start()
        want = len(b"250 2.0.0 OK\r\n") * count
        tail = b""
        while heard < want:
            got = client.socket.recv(MEGABYTE)
            self.assertTrue(got, f"closed after {heard} of {want} bytes")
            heard, tail = heard + len(got), got
        sender.join()
        self.assertTrue(tail.endswith(b"250 2.0.0 OK\r\n"))
        client.command("QUIT", 221)
        self.daemon.wait_event("session", commands=count + 1, end="quit")

    def daemon_memory_grew_less_than(self, before, kilobytes):
        self.assertLess(worker_memory(self.daemon) - before, kilobytes)


class Garbage(Hostile):
    """Bytes that are no SMTP at all."""

    def test_random_bytes_get_one_reply_a_line(self):
        noise = random.Random(8).randbytes(200_000)
        client, replies = self.client(), []
        sender = threading.Thread(target=client.send, args=(noise + b"\r\nQUIT\r\n",))
        sender.start()
        while (code := client.reply()[0]) is not None:
            replies.append(code)
        sender.join()
        self.assertEqual(replies, [500] * (noise.count(b"\n") + 1) + [221])

    def test_a_tls_hello_gets_a_reply_at_most(self):
        client = self.client()
        client.send(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(32)) + b"\n")
        client.socket.shutdown(socket.SHUT_WR)
        while (code := client.reply()[0]) is not None:
            self.assertEqual(code, 500)


STAGES = ["", "EHLO client.example.test", "MAIL FROM:<from@example.test>",
          "RCPT TO:<to@sinkhole.test>", "DATA", "half a message", ".", "QUIT"]


class Gone(Hostile):
    """Connections that end where they should not."""

    def steps(self, count):
        """A client that has done so many of the stages, all answered but the last."""
        client = self.client()
        for line in STAGES[1:count]:
            client.send(line + "\r\n")
            if line != "half a message":
                self.assertIn(client.reply()[0], (250, 354))
        if count:
            client.send(STAGES[count] + "\r\n")
        return client

    def test_reset_at_every_stage(self):
        for count in range(len(STAGES)):
            client = self.steps(count)
            client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                     struct.pack("ii", 1, 0))
            client.close()
        # The first said nothing, so it is no session.
        self.daemon.wait_event("session", len(STAGES) - 1)

    def test_half_close_at_every_stage(self):
        for count in range(1, len(STAGES)):
            client = self.steps(count)
            client.socket.shutdown(socket.SHUT_WR)
            if STAGES[count] != "half a message":
                self.assertIn(client.reply()[0], (221, 250, 354))
            self.assertTrue(client.at_end(), STAGES[count])
        self.daemon.wait_event("session", len(STAGES) - 1)
        # Only those that came as far as the dot have left a message.
        self.assertEqual(len(self.daemon.find("session", messages=0)), STAGES.index(".") - 1)

    def test_nothing_but_connections(self):
        for _ in range(500):
            socket.create_connection(("127.0.0.1", self.daemon.port)).close()
        self.daemon.wait_status(lambda status: status["counters"]["probes"] >= 500,
                                "500 probes are counted")
        self.assertEqual(self.daemon.find("session"), [])


class LastWords(Hostile):
    """A 421 must arrive, whatever the client is still sending: closing on unread input would make
    the kernel reset the connection and take the reply away."""

    def test_421_reaches_a_client_that_goes_on_sending(self):
        self.daemon.set_mode("defer")
        client, replies = self.client(), []
        client.hello()
        client.send("MAIL FROM:<from@example.test>\r\nRCPT TO:<to@sinkhole.test>\r\n")
        client.send("DATA\r\n" + "some line\r\n" * 1000 + "QUIT\r\n" + "more\r\n" * 20000)
        while (code := client.reply()[0]) is not None:
            replies.append(code)
        self.assertEqual(replies, [250] + [421] * 1002 + [221])
        self.daemon.set_mode("accept")


SMUGGLED = "MAIL FROM:<smuggled@example.test>\r\nRCPT TO:<to@sinkhole.test>\r\nDATA\r\nx\r\n.\r\n"
ENDS = [b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r.\r\n", b"\r\n.\r", b"\r\n.\r\r\n",
        b"\r\r\n.\n", b"\n\r.\r\n", b"\n\n.\r\n", b"\r\n\x00.\r\n", b"\r\n.\x00\r\n",
        b"\r\x00\n.\r\n", b"\r\n.\r\x00\n", b"\x00.\x00"]


class Smuggling(Hostile):
    """SMTP smuggling: an end of data that only one of two servers sees lets a second message ride
    inside the first. Here there is one end, so each stays one message from one sender."""

    def test_nothing_but_crlf_dot_crlf_ends_a_message(self):
        for end in ENDS:
            with self.subTest(repr(end)):
                client = self.client()
                to_data(client)
                client.send(b"Subject: x\r\n\r\nHello" + end + SMUGGLED.encode())
                # The smuggled message's own dot is the first that counts.
                client.expect(250)
                client.command("NOOP", 250)
                client.command("QUIT", 221)
        self.daemon.wait_event("session", len(ENDS), messages=1)
        self.assertEqual(self.daemon.find("attempt", **{"from": "smuggled@example.test"}), [])
        self.assertEqual(len(self.daemon.find("attempt", code=250)), len(ENDS))

    def test_the_true_end_split_over_packets(self):
        for cut in range(1, 5):
            client, end = self.client(), b"\r\n.\r\n"
            client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            to_data(client)
            client.send(b"Hello" + end[:cut])
            time.sleep(0.02)
            client.send(end[cut:] + b"QUIT\r\n")
            client.expect(250)
            client.expect(221)


del Hostile  # a base, not a suite

if __name__ == "__main__":
    tap.main()
