#!/usr/bin/env python3
"""What clients see in each mode, and that a change of the mode takes effect at once."""

import os
import smtplib
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import mailer  # noqa: E402
import tap  # noqa: E402
from sinkhole import Daemon, program, run  # noqa: E402

DEFERRED = "421 4.3.2 Service temporarily unavailable"
BOUNCED = "550 5.1.1 User unknown"
GREYLISTED = "421 4.7.1"


class Swaks(unittest.TestCase):
    """The modes as an operator tries them."""

    def test_defer(self):
        with Daemon("defer") as daemon:
            result = mailer.swaks(daemon)
            self.assertEqual(result.returncode, 24, result.stdout)
            self.assertIn(f"<** {DEFERRED}", result.stdout)
            daemon.wait_event("session", deferred=1, accepted=0, mode="defer", end="quit",
                              helo="swaks.example.test", client="127.0.0.1")

    def test_bounce(self):
        with Daemon("bounce") as daemon:
            result = mailer.swaks(daemon)
            self.assertEqual(result.returncode, 24, result.stdout)
            self.assertIn(f"<** {BOUNCED}", result.stdout)
            daemon.wait_event("session", rejected=1, mode="bounce")

    def test_accept(self):
        with Daemon("accept") as daemon:
            result = mailer.swaks(daemon)
            self.assertEqual(result.returncode, 0, result.stdout)
            daemon.wait_event("session", accepted=1, messages=1, mode="accept")
        self.assertEqual(daemon.find("accepted"), [])

    def test_accept_log(self):
        with Daemon("accept-log") as daemon:
            result = mailer.swaks(daemon, "--header", "Subject: for the log",
                                  "--body", "not for the log")
            self.assertEqual(result.returncode, 0, result.stdout)
            event = daemon.wait_event("accepted")
        self.assertEqual(event["from"], "from@example.test")
        self.assertEqual(event["rcpts"], ["nobody@sinkhole.test"])
        self.assertIn(["Subject", "for the log"], event["headers"])
        self.assertNotIn(b"not for the log", b"".join(daemon.lines))

    def test_greylist(self):
        with Daemon("greylist") as daemon:
            first, second = mailer.swaks(daemon), mailer.swaks(daemon)
            self.assertEqual(first.returncode, 24)
            self.assertIn(f"<** {GREYLISTED}", first.stdout)
            self.assertEqual(second.returncode, 0, second.stdout)

    def test_flip_takes_effect_at_the_next_message(self):
        with Daemon("defer") as daemon:
            self.assertEqual(mailer.swaks(daemon).returncode, 24)
            self.assertEqual(daemon.ctl("mode", "set", "accept", "--wait").returncode, 0)
            self.assertEqual(mailer.swaks(daemon).returncode, 0)


class Smtplib(unittest.TestCase):
    """The same by a client of another make."""

    def send(self, daemon, recipients=("a@sinkhole.test", "b@sinkhole.test")):
        with mailer.smtp(daemon) as client:
            return client.sendmail("from@example.test", list(recipients),
                                   mailer.MESSAGE.format("smtplib"))

    def test_defer(self):
        with Daemon("defer") as daemon:
            with self.assertRaises(smtplib.SMTPRecipientsRefused) as refused:
                self.send(daemon)
            answers = refused.exception.recipients
            self.assertEqual(answers["a@sinkhole.test"],
                             (421, b"4.3.2 Service temporarily unavailable"))

    def test_bounce_answers_each_recipient(self):
        with Daemon("bounce") as daemon:
            with self.assertRaises(smtplib.SMTPRecipientsRefused) as refused:
                self.send(daemon)
            self.assertEqual(refused.exception.recipients,
                             {r: (550, b"5.1.1 User unknown")
                              for r in ("a@sinkhole.test", "b@sinkhole.test")})

    def test_accept_many_messages_in_one_session(self):
        with Daemon("accept") as daemon:
            with mailer.smtp(daemon) as client:
                for number in range(5):
                    self.assertEqual(client.sendmail("f@example.test", ["n@sinkhole.test"],
                                                     mailer.MESSAGE.format(number)), {})
            daemon.wait_event("session", messages=5, end="quit")
        ids = [e["message_id"] for e in daemon.find("attempt", code=250)]
        self.assertEqual(ids, [f"<{n}@example.test>" for n in range(5)])

    def test_no_extension_is_offered(self):
        with Daemon("accept") as daemon, mailer.smtp(daemon) as client:
            self.assertEqual(client.ehlo()[0], 250)
            self.assertLessEqual(set(client.esmtp_features), {"help"})
            with self.assertRaises(smtplib.SMTPNotSupportedError):
                client.starttls()


class Flips(unittest.TestCase):
    """The mode changes while a connection is open."""

    def test_every_mode_within_one_connection(self):
        with Daemon("bounce") as daemon, mailer.Client(daemon.port) as client:
            client.hello().mail(code=550)
            daemon.set_mode("accept")
            client.command("RCPT TO:<b@sinkhole.test>", 250)
            daemon.set_mode("bounce")
            client.command("RCPT TO:<c@sinkhole.test>", 550)
            daemon.set_mode("accept-log")
            client.command("DATA", 354)
            client.send(mailer.MESSAGE.format("flip") + ".\r\n")
            client.expect(250)
            daemon.set_mode("defer")
            client.mail(code=421)
            client.command("NOOP", 421)
            client.command("QUIT", 221)
            self.assertTrue(client.at_end())
            daemon.wait_event("accepted", rcpts=["b@sinkhole.test"])
            attempt = daemon.wait_event("attempt")
            self.assertEqual([r["code"] for r in attempt["rcpts"]], [550, 250, 550])

    def test_421_closes_the_channel_by_itself(self):
        with Daemon("defer") as daemon, mailer.Client(daemon.port) as client:
            client.hello().mail(code=421)
            self.assertTrue(client.at_end())
            daemon.wait_event("session", end="421")

    def test_a_client_that_pipelines_gets_each_reply_in_order(self):
        with Daemon("bounce") as daemon, mailer.Client(daemon.port) as client:
            client.send("EHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n"
                        "RSET\r\nNOOP\r\nQUIT\r\n")
            codes = [client.reply()[0] for _ in range(8)]
            self.assertEqual(codes[:4] + codes[5:], [250, 250, 550, 550, 250, 250, 221])
            self.assertIn(codes[4], (503, 554))
            self.assertTrue(client.at_end())

    def test_pipelined_commands_behind_a_421_are_answered_too(self):
        with Daemon("defer") as daemon, mailer.Client(daemon.port) as client:
            client.send("HELO c\r\nMAIL FROM:<a@b>\r\nRCPT TO:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n"
                        "QUIT\r\n")
            self.assertEqual([client.reply()[0] for _ in range(6)],
                             [250, 250, 421, 421, 421, 221])
            self.assertTrue(client.at_end())


class Curl(unittest.TestCase):
    def test_curl_delivers(self):
        with Daemon("accept-log") as daemon:
            letter = os.path.join(daemon.dir, "letter")
            with open(letter, "w", encoding="utf-8") as file:
                file.write(mailer.MESSAGE.format("curl"))
            try:
                result = run("curl", "-sS", f"smtp://127.0.0.1:{daemon.port}/curl.example.test",
                             "--mail-from", "from@example.test", "--mail-rcpt",
                             "nobody@sinkhole.test", "-T", letter)
            except FileNotFoundError:
                self.skipTest("curl is not installed")
            self.assertEqual(result.returncode, 0, result.stderr)
            self.assertEqual(daemon.wait_event("accepted")["message_id"], "<curl@example.test>")


class StaticSource(unittest.TestCase):
    def test_static_mode(self):
        with Daemon(source="static:bounce") as daemon:
            self.assertEqual(mailer.swaks(daemon).returncode, 24)
            result = daemon.ctl("mode", "set", "accept")
            self.assertNotEqual(result.returncode, 0)
            self.assertIn("static:bounce cannot be changed", result.stderr)

    def test_unknown_static_mode_is_refused_at_start(self):
        result = run(program("sinkholed"), "--mode-source", "static:bogus", "--bind-port", "0")
        self.assertEqual(result.returncode, 100)
        self.assertIn("bogus", result.stderr)
        self.assertIn("accept-log", result.stderr)


class SmallWrites(unittest.TestCase):
    def test_a_message_in_pieces_waits_for_no_acknowledgement(self):
        """As sendmail sends it. A delayed acknowledgement takes 40 ms each time, so one message
        of ten that takes less than half of that shows that none was waited for."""
        times = []
        with Daemon("accept") as daemon:
            for _ in range(10):
                with mailer.Client(daemon.port) as client:
                    client.hello().mail()
                    client.command("DATA", 354)
                    begin = time.monotonic()
                    for number in range(4):
                        client.send(f"line {number}\r\n")
                    client.command(".", 250)
                    times.append(time.monotonic() - begin)
        self.assertLess(min(times), 0.020)


if __name__ == "__main__":
    tap.main()
