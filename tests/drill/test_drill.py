#!/usr/bin/env python3
"""The drill: mail is parked, the task that holds it dies, and each message arrives once.

The verdict is sinkholectl's, from the sinkhole's own log; the picture of the large run is left in
BUILD/drill/timeline.svg.
"""

import os
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import image
import lab
import tap
from lab import wait_for

DEFERRED = "Deferred: 421 4.3.2 Service temporarily unavailable"


class Drill(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lab = lab.Lab(f"drill-{os.getpid()}")
        cls.addClassCleanup(cls.lab.down)
        cls.lab.up()
        maker = cls.lab.start_ssm(by_terraform=True)
        print(f"# the mode's parameter was made by {maker}", flush=True)
        cls.lab.start_sinkhole()

    def setUp(self):
        self.lab.fresh()
        self.lab.set_mode("defer")
        self.lab.start_task("a")
        self.lab.start_task("b")

    def park(self, count):
        """Messages that wait in the queue of both tasks; {queue id: Message-ID}."""
        parked = self.lab.submit("a", count, "drill")
        wait_for(lambda: self.lab.idle("b"), "the first attempts to end")
        for task in ("a", "b"):
            self.assertEqual(set(parked), set(self.lab.mailq(task)), f"mailq of {task}")
        return parked

    def replace(self, how, parked):
        """Task a dies, task c comes and finds the same queue; returns a's exit code."""
        code = self.lab.kill_task("a", how)
        self.lab.start_task("c")
        for task in ("b", "c"):
            self.assertEqual(set(parked), set(self.lab.mailq(task)), f"mailq of {task}")
        return code

    def release(self, *tasks):
        """Flips the mode and has the tasks run the queue, all at the same time."""
        self.lab.set_mode("accept-log")
        runs = [subprocess.Popen([*command, "sendmail", "-qRsinkhole.test"])
                for task in tasks if (command := self.lab.exec_command(task))]
        for run in runs:
            self.assertEqual(0, run.wait())
        wait_for(lambda: not self.lab.mailq("b"), "the queue to be empty")
        wait_for(lambda: len(self.lab.events("accepted")) >= len(self.lab.submitted()),
                 "the sinkhole's log to be written")

    def prove(self, *options):
        """The report must be good; returns its last line."""
        done = self.lab.report(*options)
        self.assertEqual(0, done.returncode, done.stdout[-3000:] + done.stderr)
        verdict = done.stdout.splitlines()[-1]
        print(f"# {self.id().split('.')[-1]}: {verdict}", flush=True)
        return verdict

    def test_one_message_and_a_task_that_drains(self):
        parked = self.park(1)
        self.assertEqual([DEFERRED], list(self.lab.mailq("b").values()))
        self.assertEqual(0, self.replace("TERM", parked))
        self.release("c")
        self.assertEqual("1 accepted once, 0 lost, 0 duplicated", self.prove())
        taken, = self.lab.events("accepted")
        self.assertEqual(([*parked.values()], "smtp-out-c.drill.test", "accept-log"),
                         ([taken["message_id"]], taken["helo"], taken["mode"]))
        self.assertEqual(self.lab.version(), taken["version"])

    def test_a_task_that_stops_delivers_what_it_can(self):
        """The drain is a plain run of the queue: it leaves alone what is younger than 5 minutes."""
        parked = self.park(2)
        old, young = parked
        self.lab.age(old)
        self.lab.set_mode("accept-log")
        self.assertEqual(0, self.lab.kill_task("a", "TERM"))
        self.assertEqual([young], list(self.lab.mailq("b")))
        taken, = self.lab.events("accepted")
        self.assertEqual((parked[old], "smtp-out-a.drill.test"),
                         (taken["message_id"], taken["helo"]))
        log = self.lab.task_log("a")
        self.assertIn("starting daemon", log)
        self.assertRegex(log, rf"{old}: to=.*stat=Sent")

    def test_500_messages_and_a_task_that_is_killed_at_work(self):
        parked = self.park(500)
        self.lab.run_queue("a")
        wait_for(lambda: len(self.lab.events("attempt")) > 520, "task a to be at work")
        self.assertEqual(137, self.replace("KILL", parked))
        self.release("b", "c")
        self.assertEqual("500 accepted once, 0 lost, 0 duplicated",
                         self.prove("--svg", os.path.join(image.BUILD, "drill/timeline.svg")))
        senders = {event["helo"] for event in self.lab.events("accepted")}
        self.assertEqual({"smtp-out-b.drill.test", "smtp-out-c.drill.test"}, senders)

    def test_queue_runners_that_race(self):
        self.park(60)
        self.release("a", "b", "a", "b", "a", "b")
        self.assertEqual("60 accepted once, 0 lost, 0 duplicated", self.prove())

    def test_a_message_that_is_lost_is_found_out(self):
        """The proof must be able to fail: one queue file is taken away."""
        parked = self.park(3)
        victim = sorted(parked)[1]
        for kind in ("qf", "df"):
            os.unlink(os.path.join(self.lab.queue, kind + victim))
        self.lab.set_mode("accept-log")
        self.lab.run_queue("b")
        wait_for(lambda: not self.lab.mailq("b"), "the queue to be empty")
        wait_for(lambda: len(self.lab.events("accepted")) == 2, "the others to be accepted")
        done = self.lab.report()
        self.assertEqual(1, done.returncode)
        self.assertIn(f"{parked[victim]}  lost: never accepted\n", done.stdout)
        self.assertEqual("2 accepted once, 1 lost, 1 pending, 0 duplicated",
                         done.stdout.splitlines()[-1])

    def test_a_message_that_is_sent_twice_is_found_out(self):
        """A copy of the queue file is what a task that died behind the final dot leaves."""
        parked = self.park(1)
        queue_id, = parked
        kept = {}
        for kind in ("qf", "df"):
            with open(os.path.join(self.lab.queue, kind + queue_id), "rb") as file:
                kept[kind] = file.read()
        self.release("b")
        for kind in ("df", "qf"):
            with open(os.path.join(self.lab.queue, kind + queue_id), "wb") as file:
                file.write(kept[kind])
            os.chmod(os.path.join(self.lab.queue, kind + queue_id), 0o600)
        self.lab.run_queue("b")
        wait_for(lambda: len(self.lab.events("accepted")) == 2, "the message to come again")
        done = self.lab.report()
        self.assertEqual((1, "0 accepted once, 0 lost, 1 duplicated"),
                         (done.returncode, done.stdout.splitlines()[-1]))


if __name__ == "__main__":
    tap.main()
