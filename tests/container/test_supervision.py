#!/usr/bin/env python3
"""How the container starts, is repaired, and ends."""

import datetime
import os
import signal
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import mailer  # noqa: E402
import podman  # noqa: E402
import procfs  # noqa: E402
import tap  # noqa: E402
import tier  # noqa: E402
from sinkhole import wait_for  # noqa: E402

DRAIN = 20  # seconds, the daemon's default
BOUNCE = {"SINKHOLE_MODE_SOURCE": "static:bounce"}
PLAIN = ("--cap-drop=ALL",)  # a writable root and no tmpfs: as on a laptop


class Stop(unittest.TestCase):
    def stops(self, **how):
        with tier.Tier(**how) as box:
            status, seconds = box.stop()
            self.assertEqual(status, 0)
            self.assertLess(seconds, DRAIN)
            self.assertEqual(len(box.events("stopped")), 1)
            self.assertEqual(box.output()[1], "")

    def test_as_process_1(self):
        self.stops()

    def test_as_the_child_of_an_init(self):
        self.stops(flags=("--init",))

    def test_an_open_transaction_ends_in_peace(self):
        with tier.Network() as network, tier.Tier(network=network.name) as box:
            box.set_mode("accept")
            with mailer.Client(25, box.address) as busy, mailer.Client(25, box.address) as idle:
                busy.hello().mail()
                busy.command("DATA", 354)
                idle.hello()
                box.signal(signal.SIGTERM)
                idle.expect(421)
                busy.send("Subject: x\r\n\r\nx\r\n.\r\n")
                busy.expect(250)
            self.assertEqual(box.wait_end(), 0)

    def test_it_starts_again_in_the_same_place(self):
        with tier.Tier(posture=PLAIN) as box:
            self.assertEqual(box.stop()[0], 0)
            podman.podman("start", box.name)
            box.wait_event("ready", count=2)
            self.assertEqual(box.stop()[0], 0)


class Repair(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.network = cls.enterClassContext(tier.Network())

    def setUp(self):
        self.box = self.enterContext(tier.Tier(network=self.network.name, env=BOUNCE))

    def repair(self, lives):
        """Kills the master; seconds until its successor, the lives-th in all, is ready."""
        supervisor = self.box.supervisor()
        master = next(pid for pid, _ in self.box.processes() if procfs.parent(pid) == supervisor)
        time.sleep(1.1)  # s6-supervise starts a service at most once a second
        killed = time.time()
        procfs.kill(master)
        ready = datetime.datetime.fromisoformat(self.box.wait_event("ready", lives)["time"])
        with mailer.Client(25, self.box.address) as client:
            client.hello().mail(code=550)
        return ready.timestamp() - killed

    def test_a_killed_daemon_is_back_within_a_second(self):
        times = sorted(self.repair(lives) for lives in (2, 3, 4))
        print(f"# ready again after {', '.join(f'{t:.3f}' for t in times)} s")
        self.assertLess(times[1], 1)

    def test_so_it_is_with_sessions_open(self):
        clients = [mailer.Client(25, self.box.address).hello() for _ in range(100)]
        taken = self.repair(2)
        print(f"# ready again after {taken:.3f} s, with {len(clients)} sessions open")
        self.assertLess(taken, 1)
        for client in clients:
            client.expect(421)
            client.close()


class Refusal(unittest.TestCase):
    def test_what_cannot_be_served_is_tried_again(self):
        with tier.Tier(sysctl=None, wait=False) as box:
            wait_for(lambda: box.output()[1].count("Permission denied") >= 2, "two attempts")
            for line in box.output()[1].splitlines():
                self.assertEqual(line, "sinkholed: fatal: unable to listen on [::] port 25: "
                                 "Permission denied")
            self.assertEqual(box.stop()[0], 0)

    def refused(self, env, line, **how):
        with tier.Tier(env=env, wait=False, **how) as box:
            self.assertEqual(box.wait_end(), 100)
            self.assertEqual(box.output(), ("", f"sinkholed: fatal: {line}\n"))

    def test_the_container_ends_with_100(self):
        self.refused({"SINKHOLE_BIND_PORT": "smtp"}, "SINKHOLE_BIND_PORT: 'smtp' is not "
                     "accepted; it takes a whole number from 0 to 65535")

    def test_so_it_does_under_an_init(self):
        self.refused({"SINKHOLE_MODE_SOURCE": "http://x"}, "--mode-source: 'http://x' is not "
                     "accepted; it takes static:MODE, file:/PATH or ssm:/NAME",
                     flags=("--init",))

    def test_prod_is_refused(self):
        self.refused({"SINKHOLE_ENVIRONMENT": "Production"}, "SINKHOLE_ENVIRONMENT is "
                     "'Production': the sinkhole must never run in prod")

    def test_without_a_place_for_s6_it_says_so(self):
        with tier.Tier(posture=("--read-only", "--read-only-tmpfs=false"), wait=False) as box:
            self.assertEqual(box.wait_end(), 111)
            self.assertEqual(box.output()[1], "cp: cannot create directory '/run/s6': "
                             "Read-only file system\n")


class Health(unittest.TestCase):
    def setUp(self):
        self.box = self.enterContext(tier.Tier())

    def check(self):
        done = self.box.ctl("check", check=False)
        return done.returncode, done.stderr.strip()

    def daemon(self):
        """(the master, the workers), as this machine numbers them"""
        lines = self.box.processes()
        refresher = next(pid for pid, line in lines if line.startswith("sinkhole-refresh "))
        master = procfs.parent(refresher)
        return master, [pid for pid in procfs.tree(master) if pid != refresher]

    def test_healthy_without_a_line_in_the_log(self):
        before = self.box.output()
        self.assertEqual(self.check(), (0, ""))
        self.assertEqual(self.box.output(), before)

    def test_workers_that_do_not_answer(self):
        for pid in self.daemon()[1]:
            procfs.kill(pid, signal.SIGSTOP)
        status, why = self.check()
        self.assertEqual(status, 1)
        self.assertIn("no greeting within 2 s", why)

    def test_no_refresher(self):
        def sick():
            for pid, line in self.box.processes():
                if line.startswith("sinkhole-refresh "):
                    procfs.kill(pid)  # each death makes the master wait longer for the next
            return self.check() == (1, "sinkholectl: not healthy: the refresher does not run")
        wait_for(sick, "the check misses the refresher")

    def test_no_master(self):
        procfs.kill(self.box.supervisor(), signal.SIGSTOP)
        procfs.kill(self.daemon()[0])
        wait_for(lambda: self.check()[0] == 1, "the check misses the master")

    def test_as_the_runtime_asks(self):
        with tier.Tier(healthcheck=True) as box:
            done = podman.podman("healthcheck", "run", box.name, check=False)
            self.assertEqual((done.returncode, done.stdout), (0, ""))
            self.assertEqual(box.events("session"), [])


if __name__ == "__main__":
    tap.main()
