#!/usr/bin/env python3
"""smtp-out with real sendmail: where the route leads, and what the container may do."""

import os
import re
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import image
import lab
import podman
import tap
from lab import SINKHOLE, wait_for

UNREACHABLE = "Deferred: [255.255.255.255]: Network is unreachable"


class InLab(unittest.TestCase):
    """One lab for all tests of a class."""

    @classmethod
    def setUpClass(cls):
        cls.lab = lab.Lab(f"route-{os.getpid()}")
        cls.addClassCleanup(cls.lab.down)
        cls.lab.up()

    def deliveries(self, task, queue_id):
        """What the task's log says about one message: [(dsn, stat), ...]."""
        return re.findall(rf"{queue_id}: to=.*?dsn=([\d.]+),(?: reply=.*?,)? stat=(.*)",
                          self.lab.task_log(task))

    def first_delivery(self, task, queue_id):
        return wait_for(lambda: self.deliveries(task, queue_id),
                        f"{task} to try {queue_id}")[0]


class Shapes(InLab):
    """The one line of the route, as the name answers, refuses or is not there."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.lab.start_task("a")
        cls.nobody = cls.lab.silent_host()

    def try_once(self, tag):
        """One message's (dsn, stat), and whether it is still queued then."""
        queue_id, = self.lab.submit("a", 1, tag)
        tried = self.first_delivery("a", queue_id)
        wait_for(lambda: self.lab.idle("a"), "the queue to be idle")
        return (*tried, queue_id in self.lab.mailq("a"))

    def test_the_map_has_the_line_of_the_contract(self):
        text = self.lab.execute("a", "cat", "/run/cabal/mailertable")
        self.assertEqual("sinkhole.test\tsmtp:[sinkhole.cabal.internal]:25\n", text)

    def test_a_refused_connection_defers(self):
        self.lab.set_zone({SINKHOLE: self.nobody})
        self.assertEqual(("4.4.1", UNREACHABLE, True), self.try_once("refused"))

    def test_a_name_that_does_not_exist_defers(self):
        self.lab.set_zone({})
        self.assertEqual(("4.4.1", UNREACHABLE, True), self.try_once("nxdomain"))

    def test_a_name_without_an_address_defers(self):
        self.lab.set_zone({SINKHOLE: None})
        self.assertEqual(("4.4.1", UNREACHABLE, True), self.try_once("nodata"))

    def test_the_line_alone_would_bounce_when_the_name_is_gone(self):
        """Why sendmail.mc appends a last host: DNS denies the name "25" too."""
        self.lab.set_zone({SINKHOLE: self.nobody})
        queue_id, = self.lab.submit("a", 1, "alone")
        self.first_delivery("a", queue_id)
        self.lab.set_zone({})
        self.lab.execute("a", "sh", "-c", "sed 's/-a:\\[255.255.255.255\\]//' "
                         "/etc/mail/sendmail.cf >/run/cabal/alone.cf")
        self.lab.run_queue("a", "-C/run/cabal/alone.cf")
        wait_for(lambda: queue_id not in self.lab.mailq("a"), "the message to be given up")
        self.assertEqual(("5.1.2", "Host unknown (Name server: 25: host not found)"),
                         self.deliveries("a", queue_id)[-1])


class Flag(InLab):
    def test_without_the_flag_the_domain_is_not_found(self):
        self.lab.start_task("off", SINKHOLE_ENABLED=None)
        queue_id, = self.lab.submit("off", 1, "off")
        self.assertEqual(
            ("5.1.2", "Host unknown (Name server: sinkhole.test.: host not found)"),
            self.first_delivery("off", queue_id))

    def test_in_prod_the_task_does_not_start(self):
        with self.assertRaisesRegex(RuntimeError, 'SINKHOLE_ENVIRONMENT is "prod"'):
            self.lab.start_task("prod", SINKHOLE_ENVIRONMENT="prod")
        name = self.lab.container("prod")
        self.assertEqual("100", podman.inspect(name, "{{.State.ExitCode}}"))

    def test_a_new_map_is_used_without_a_restart(self):
        self.lab.start_task("flip", SINKHOLE_ENABLED="false")
        self.lab.execute("flip", "env", "SINKHOLE_ENABLED=true", "render-maps")
        queue_id, = self.lab.submit("flip", 1, "flip")
        self.assertEqual(("4.4.1", UNREACHABLE), self.first_delivery("flip", queue_id))


class Leak(InLab):
    """The filter of the leak alarm, on the lines that sendmail really logs."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.lab.start_inbox()
        with open(os.path.join(image.REPO, "infra/modules/smtp-out-route/main.tf"),
                  encoding="utf-8") as file:
            on, off = re.findall(r'^\s*[?:] "(.*)"', file.read(), re.MULTILINE)
        cls.on, cls.off = (re.findall(r'(-?)"(.*?)"', pattern.replace('\\"', '"'))
                           for pattern in (on, off))

    def leaks(self, terms, task):
        """The lines that the filter counts: all its words are in them, and none of those with a
        minus sign."""
        return [line for line in self.lab.task_log(task).splitlines()
                if all((word in line) != bool(minus) for minus, word in terms)]

    def deliver(self, task):
        queue_id, = self.lab.submit(task, 1, task)
        self.assertEqual("2.0.0", self.first_delivery(task, queue_id)[0])

    def test_what_the_sinkhole_takes_is_no_leak(self):
        self.lab.set_zone({SINKHOLE: self.lab.state["gateway"]})
        self.lab.start_task("good")
        self.deliver("good")
        self.assertEqual([], self.leaks(self.on, "good"))
        self.assertNotEqual([], self.leaks(self.off, "good"))

    def test_what_another_host_takes_is_one(self):
        self.lab.set_zone({"sinkhole.test": self.lab.state["gateway"]})
        self.lab.start_task("leaky", SINKHOLE_ENABLED=None)
        self.deliver("leaky")
        self.assertEqual(1, len(self.leaks(self.on, "leaky")))
        self.assertNotEqual([], self.leaks(self.off, "leaky"))

    def test_what_waits_is_no_leak(self):
        self.lab.set_zone({})
        self.lab.start_task("waiting")
        queue_id, = self.lab.submit("waiting", 1, "waiting")
        self.first_delivery("waiting", queue_id)
        self.assertEqual([], self.leaks(self.on, "waiting"))


class Posture(InLab):
    """Read-only, two capabilities, no way to more."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.lab.start_task("a")

    def test_what_the_kernel_says_of_sendmail(self):
        pid = self.lab.execute("a", "head", "-n", "1", "/run/cabal/sendmail.pid").strip()
        status = self.lab.execute("a", "cat", f"/proc/{pid}/status")
        for field, value in (("CapEff", "0000000000000440"), ("CapBnd", "0000000000000440"),
                             ("CapAmb", "0" * 16), ("NoNewPrivs", "1")):
            with self.subTest(field=field):
                self.assertIn(f"{field}:\t{value}\n", status)

    def test_nothing_is_writable_but_the_three_mounts(self):
        script = ("for d in / /etc /etc/mail /usr /var /var/spool /run /run/cabal /tmp "
                  "/var/spool/mqueue; do "
                  "if touch $d/t 2>/dev/null; then rm $d/t; echo $d; fi; done")
        self.assertEqual(["/run/cabal", "/tmp", "/var/spool/mqueue"],
                         self.lab.execute("a", "sh", "-c", script).split())

    def test_no_file_of_the_image_gives_privileges(self):
        root = podman.podman("image", "mount", image.built()).stdout.strip()
        self.addCleanup(podman.podman, "image", "unmount", image.built())
        found = subprocess.run(["find", root, "-xdev", "-type", "f", "-perm", "/6000"],
                               capture_output=True, check=True)
        self.assertEqual(b"", found.stdout)

    def test_the_options_of_the_hardening_plan(self):
        text = self.lab.execute("a", "cat", "/etc/mail/sendmail.cf")
        for option in ("MaxMessageSize=52428800", "MaxDaemonChildren=40",
                       "ConnectionRateThrottle=5", "RejectLogInterval=3h", "MinQueueAge=5m",
                       "Timeout.queuereturn=4d", "LogLevel=9", "QueueLA=1000",
                       "RefuseLA=1000",
                       "PrivacyOptions=authwarnings,noexpn,novrfy,restrictmailq,restrictqrun"):
            with self.subTest(option=option):
                self.assertRegex(text, rf"(?m)^O {re.escape(option)}$")

    def test_it_does_not_start_without_either_capability(self):
        flags = lab.TASK_FLAGS
        self.addCleanup(setattr, lab, "TASK_FLAGS", flags)
        for name in ("NET_BIND_SERVICE", "SETGID"):
            with self.subTest(name=name):
                lab.TASK_FLAGS = tuple(flag for flag in flags if name not in flag)
                with self.assertRaisesRegex(RuntimeError, "ended"):
                    self.lab.start_task(f"no-{name.lower()}")

    def test_others_cannot_see_the_queue(self):
        done = podman.podman("exec", "--user", "mail", self.lab.container("a"), "mailq",
                             check=False)
        self.assertNotEqual(0, done.returncode)
        self.assertNotIn("empty", done.stdout)


if __name__ == "__main__":
    tap.main()
