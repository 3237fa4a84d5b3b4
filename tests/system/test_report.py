#!/usr/bin/env python3
"""sinkholectl report: from log lines, in every shape that they come in, to the proof."""

import json
import os
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import tap  # noqa: E402
from mailer import Client  # noqa: E402
from sinkhole import BUILD, Daemon  # noqa: E402

SVG = "{http://www.w3.org/2000/svg}"


def attempt(second, to, code, message_id=None, client="10.0.0.1", mode="defer", version=1):
    """A line as the daemon writes it."""
    line = {"time": f"2026-01-02T03:{second // 60:02}:{second % 60:02}.250Z", "event": "attempt",
            "session": f"s{second}", "client": client, "helo": f"task-{client[-1]}",
            "from": "operator@drill.test", "rcpts": [{"to": to, "code": code}], "code": code}
    if message_id:
        line.update(message_id=message_id, bytes=100)
    return json.dumps({**line, "mode": mode, "version": version}, separators=(",", ":"))


PARKED = [attempt(1, "a@sinkhole.test", 421), attempt(2, "b@sinkhole.test", 421)]
CHANGE = ('{"time":"2026-01-02T03:04:00.000Z","event":"mode","mode":"accept-log",'
          '"value":"accept-log","version":2,"source":"ssm:/x","previous":"defer"}')
TAKEN = [attempt(301, "a@sinkhole.test", 250, "<a@x>", "10.0.0.2", "accept-log", 2),
         attempt(302, "b@sinkhole.test", 250, "<b@x>", "10.0.0.3", "accept-log", 2)]
GOOD = [*PARKED, CHANGE, *TAKEN]


def report(lines, *options, text=None):
    return subprocess.run([os.path.join(BUILD, "sinkholectl"), "report", *options],
                          input="\n".join(lines) + "\n" if text is None else text, text=True,
                          capture_output=True, check=False)


def verdict(lines, *options, text=None):
    """(exit status, the last line)"""
    done = report(lines, *options, text=text)
    return done.returncode, done.stdout.splitlines()[-1]


class Verdict(unittest.TestCase):
    def test_verdicts(self):
        for name, lines, want in (
                ("good", GOOD, (0, "2 accepted once, 0 pending, 0 duplicated")),
                ("pending", GOOD[:-1], (1, "1 accepted once, 1 pending, 0 duplicated")),
                ("twice", [*GOOD, TAKEN[0].replace("s301", "s400")],
                 (1, "1 accepted once, 0 pending, 1 duplicated")),
                ("bounced", [attempt(1, "a@sinkhole.test", 550)],
                 (0, "0 accepted once, 0 pending, 0 duplicated, 1 bounced")),
                ("nothing", [CHANGE], (1, "no delivery attempt in these lines"))):
            with self.subTest(name):
                self.assertEqual(want, verdict(lines))

    def test_what_was_expected(self):
        with tempfile.NamedTemporaryFile("w", suffix=".ids") as file:
            file.write("qid1 <a@x>\nqid2 <b@x>\n")
            file.flush()
            self.assertEqual((0, "2 accepted once, 0 lost, 0 duplicated"),
                             verdict(GOOD, "--expect", file.name))
            file.write("qid3 <c@x>\n")
            file.flush()
            done = report(GOOD, "--expect", file.name)
            self.assertEqual(1, done.returncode)
            self.assertIn("<c@x>  lost: never accepted\n", done.stdout)
            self.assertIn("2 accepted once, 1 lost, 0 duplicated\n", done.stdout)

    def test_lists_that_expect_nothing_prove_nothing(self):
        with tempfile.TemporaryDirectory() as folder:
            done = report(GOOD, "--expect", folder)
            self.assertEqual((111, ""), (done.returncode, done.stdout))
            self.assertIn("Is a directory", done.stderr)
            path = os.path.join(folder, "ids")
            with open(path, "w", encoding="utf-8") as file:
                file.write("\n \n")
            done = report(GOOD, "--expect", path)
            self.assertEqual((100, ""), (done.returncode, done.stdout))
            self.assertIn("names no message", done.stderr)
            with open(path, "w", encoding="utf-8") as file:
                file.write("qid1\t<a@x>\r\n\n<b@x> \t\n")
            self.assertEqual((0, "2 accepted once, 0 lost, 0 duplicated"),
                             verdict(GOOD, "--expect", path))

    def test_the_attempts_of_a_message(self):
        lines = report(GOOD).stdout.splitlines()
        self.assertEqual("<a@x>  <operator@drill.test> to <a@sinkhole.test>  "
                         "accepted once, 2 attempts", lines[0])
        self.assertRegex(lines[1], r"2026-01-02 03:00:01\.250 +421 deferred +10\.0\.0\.1 +"
                                   r"task-1  defer \(version 1\)$")
        self.assertRegex(lines[2], r"03:05:01\.250  \+5 min +250 accepted +10\.0\.0\.2 +"
                                   r"task-2  accept-log \(version 2\)$")
        self.assertRegex("\n".join(lines), r"5 min to 15 min +2  #{40}\n")

    def test_unreadable(self):
        done = report([], "/nonexistent")
        self.assertEqual((111, "sinkholectl: /nonexistent: No such file or directory\n"),
                         (done.returncode, done.stderr))

    def test_other_text_is_counted(self):
        done = report([*GOOD, "tini: a word", "another"])
        self.assertEqual((0, "sinkholectl: 2 lines of the input were no log lines\n"),
                         (done.returncode, done.stderr))

    def test_its_options_are_its_own(self):
        done = subprocess.run([os.path.join(BUILD, "sinkholectl"), "status", "--svg", "x"],
                              text=True, capture_output=True, check=False)
        self.assertEqual(100, done.returncode)
        self.assertIn("status takes no --svg", done.stderr)


class Shapes(unittest.TestCase):
    """The same lines as other programs hand them on."""

    def good(self, text):
        done = report([], text=text)
        self.assertEqual((0, ""), (done.returncode, done.stderr))
        self.assertEqual("2 accepted once, 0 pending, 0 duplicated",
                         done.stdout.splitlines()[-1])

    def test_behind_a_prefix(self):
        self.good("".join(f"2026-01-02T03:04:05 sinkhole/sinkhole/0a1b {line}\n"
                          for line in GOOD))

    def exported(self):
        return {"events": [{"logStreamName": "sinkhole/sinkhole/0a1b", "timestamp": 1,
                            "message": line, "eventId": "1"} for line in GOOD],
                "searchedLogStreams": []}

    def test_filter_log_events_printed_to_be_read(self):
        done = report([], text=json.dumps(self.exported(), indent=4) + "\n")
        self.assertEqual((0, "2 accepted once, 0 pending, 0 duplicated"),
                         (done.returncode, done.stdout.splitlines()[-1]))

    def test_filter_log_events_on_one_line(self):
        self.good(json.dumps(self.exported()) + "\n")

    def test_an_event_a_line(self):
        self.good("".join(json.dumps(event) + "\n" for event in self.exported()["events"]))

    def test_several_files(self):
        with tempfile.TemporaryDirectory() as folder:
            paths = [os.path.join(folder, str(n)) for n in range(2)]
            for path, lines in zip(paths, (TAKEN, PARKED)):
                with open(path, "w", encoding="utf-8") as file:
                    file.write("\n".join(lines))
            self.assertEqual(0, verdict([], *paths)[0])


class Forms(unittest.TestCase):
    def test_json(self):
        found = json.loads(report(GOOD, "--json").stdout)
        self.assertEqual({"attempts": 4, "accepted_once": 2, "pending": 0, "duplicated": 0,
                          "bounced": 0, "lines_not_understood": 0}, found["totals"])
        self.assertIs(True, found["proven"])
        first = found["messages"][0]
        self.assertEqual(("<a@x>", "a@sinkhole.test", "accepted once"),
                         (first["message_id"], first["to"], first["state"]))
        self.assertEqual([(421, "10.0.0.1", 1), (250, "10.0.0.2", 2)],
                         [(a["code"], a["client"], a["version"]) for a in first["attempts"]])
        self.assertEqual(2, sum(i["count"] for i in found["intervals"]))

    def draw(self, lines, *options):
        with tempfile.NamedTemporaryFile(suffix=".svg") as file:
            report(lines, "--svg", file.name, *options)
            return xml.etree.ElementTree.parse(file.name).getroot()

    def test_the_picture_has_a_mark_for_each_attempt(self):
        root = self.draw(GOOD)
        titles = [title.text for title in root.iter(f"{SVG}title")]
        self.assertEqual(4, len(titles))
        self.assertIn("421 deferred 2026-01-02T03:00:01.250Z 10.0.0.1 task-1", titles)
        texts = [text.text for text in root.iter(f"{SVG}text")]
        for text in ("<a@x>", "accept-log", "deferred", "task-3"):
            self.assertIn(text, texts)

    def test_the_picture_says_what_was_lost(self):
        """No row can show it: there is no attempt."""
        with tempfile.NamedTemporaryFile("w", suffix=".ids") as file:
            file.write("<a@x>\n<c@x>\n")
            file.flush()
            texts = [text.text for text in self.draw(GOOD, "--expect", file.name).iter(f"{SVG}text")]
        self.assertTrue([text for text in texts if text.startswith("2 accepted once, 1 lost, ")])

    def test_the_legend_of_four_clients_is_in_the_picture(self):
        lines = [attempt(n, f"{n}@x", 421, client=f"10.0.0.{n}").replace(
            '"task-', '"smtp-out-a.drill.test-') for n in range(1, 5)]
        names = [text for text in self.draw(lines).iter(f"{SVG}text") if "-out-" in text.text]
        self.assertEqual(4, len(names))
        for name in names:
            self.assertLess(float(name.get("x")) + 7 * len(name.text), 1000, name.text)

    def test_the_picture_of_hostile_text(self):
        root = self.draw([attempt(1, "a@x", 250, '<"&\'\x01]]>\u00e9')])
        self.assertIn('<"&\' ]]>\u00e9', [text.text for text in root.iter(f"{SVG}text")])

    def test_the_picture_of_spoilt_lines(self):
        """Bytes that no daemon writes, and characters that XML does not know."""
        line = attempt(1, "a@x", 250, "<\ufffe-MARK->").replace("\\ufffe", "\ufffe")
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "x.svg")
            subprocess.run([os.path.join(BUILD, "sinkholectl"), "report", "--svg", path],
                           input=line.encode().replace(b"MARK", b"\xa2\xff"), check=False,
                           capture_output=True)
            root = xml.etree.ElementTree.parse(path).getroot()
        self.assertIn("<\ufffd-\ufffd\ufffd->", [text.text for text in root.iter(f"{SVG}text")])

    def test_the_picture_of_nothing_and_of_many(self):
        self.assertEqual([], list(self.draw([CHANGE]).iter(f"{SVG}title")))
        many = [attempt(n, f"{n}@x", 421) for n in range(3000)]
        self.assertEqual(3000, len(list(self.draw(many).iter(f"{SVG}title"))))

    def test_a_picture_that_cannot_be_written(self):
        done = report(GOOD, "--svg", "/nonexistent/x.svg")
        self.assertEqual(111, done.returncode)
        self.assertIn("/nonexistent/x.svg: No such file", done.stderr)


class Real(unittest.TestCase):
    def test_a_transaction_that_is_given_up_delivers_nothing(self):
        """Its recipients had a 250 each, the transaction has no code."""
        with Daemon("accept") as daemon:
            with Client(daemon.port).hello() as client:
                client.mail("a@sinkhole.test")
                client.command("RSET", 250)
                client.mail("b@sinkhole.test")
                daemon.set_mode("bounce")
                client.command("RCPT TO:<c@sinkhole.test>", 550)
                client.command("RSET", 250)
                client.command("QUIT", 221)
            daemon.wait_event("session")
            attempts = daemon.find("attempt")
            self.assertEqual([[r["code"] for r in a["rcpts"]] for a in attempts],
                             [[250], [250, 550]])
            self.assertEqual([a for a in attempts if "code" in a], [])
            log = b"".join(daemon.lines).decode()
        found = json.loads(report([], "--json", text=log).stdout)
        self.assertEqual({(m["to"][0], m["state"], m["attempts"][0]["answer"],
                           m["attempts"][0]["code"]) for m in found["messages"]},
                         {("a", "pending", "cut", None), ("b", "pending", "cut", None),
                          ("c", "bounced", "refused", 550)})
        self.assertRegex(report([], text=log).stdout, r"  - cut +127\.0\.0\.1 ")

    def test_the_lines_of_a_daemon(self):
        with Daemon("defer") as daemon:
            with Client(daemon.port).hello() as client:
                client.mail("a@sinkhole.test", 421)
            daemon.set_mode("accept")
            with Client(daemon.port).hello() as client:
                client.mail("a@sinkhole.test")
                client.command("DATA", 354)
                client.send("Message-ID: <1@drill.test>\r\n\r\n.\r\n")
                client.expect(250)
                client.command("QUIT", 221)
            daemon.wait_event("session", count=2)
            done = report([], text=b"".join(daemon.lines).decode())
        self.assertEqual(0, done.returncode, done.stdout)
        self.assertIn("<1@drill.test>  <from@example.test> to <a@sinkhole.test>  "
                      "accepted once, 2 attempts", done.stdout)


if __name__ == "__main__":
    tap.main()
