#!/usr/bin/env python3
"""What the tier cannot do, seen from inside its container while it serves."""

import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import procfs  # noqa: E402
import tap  # noqa: E402
import tier  # noqa: E402

CAPABILITIES = ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")
USER = "10025"
# Where data may be put, and what a mount must forbid there. The kernel's own file systems apart.
WRITABLE = {"/run": {"nosuid", "nodev", "noexec"}, "/tmp": {"nosuid", "nodev", "noexec"}}
RUNTIMES = {"/dev", "/dev/pts", "/dev/mqueue", "/dev/shm", "/proc"}


class Posture(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.box = cls.enterClassContext(tier.Tier())

    def inside(self, line, **options):
        """A line of shell, as `aws ecs execute-command` would run it."""
        return self.box.run("/bin/sh", "-c", line, **options)

    def mounts(self):
        """{mount point: (type, options)}"""
        text = self.inside("while read -r line; do echo \"$line\"; done </proc/mounts").stdout
        return {at: (kind, set(options.split(",")))
                for _, at, kind, options, *_ in map(str.split, text.splitlines())}

    def test_process_1_says_it_has_nothing(self):
        text = self.inside("while read -r line; do echo \"$line\"; done </proc/1/status").stdout
        rows = dict(line.split(":", 1) for line in text.splitlines())
        for name in CAPABILITIES:
            self.assertEqual(int(rows[name], 16), 0, name)
        self.assertEqual(rows["NoNewPrivs"].strip(), "1")
        self.assertEqual(rows["Seccomp"].strip(), "2")
        self.assertEqual(rows["Uid"].split(), [USER] * 4)
        self.assertEqual(rows["Gid"].split(), [USER] * 4)

    def test_no_process_has_more(self):
        processes = self.box.processes()
        self.assertGreater(len(processes), 8)
        for pid, line in processes:
            status = procfs.status(pid)
            self.assertEqual([int(status[name], 16) for name in CAPABILITIES], [0] * 5, line)
            self.assertEqual(status["Uid"].split(), [USER] * 4, line)
            self.assertEqual(status["Groups"].split(), [] if status["Groups"] == "" else [USER])
            self.assertEqual(status["NoNewPrivs"], "1", line)

    def test_it_listens_on_25_all_the_same(self):
        self.assertEqual(self.box.status()["listening"], ["[::]:25"])

    def test_nothing_can_be_written_to_the_root(self):
        for place in ("/x", "/etc/x", "/usr/sbin/sinkholed", "/etc/s6/scan/sinkholed/run"):
            for user in (USER, "0"):
                done = self.inside(f": >{place}", user=user)
                self.assertNotEqual(done.returncode, 0, place)
                self.assertRegex(done.stderr, "Read-only file system|Permission denied")

    def test_only_two_mounts_take_data(self):
        mounts = self.mounts()
        self.assertIn("ro", mounts["/"][1])
        for place, wanted in WRITABLE.items():
            kind, options = mounts[place]
            self.assertEqual(kind, "tmpfs")
            self.assertLessEqual(wanted, options, place)
        more = [at for at, (_, options) in mounts.items() if "rw" in options
                and at not in WRITABLE and at not in RUNTIMES
                and not at.startswith(("/proc/", "/sys/"))]
        self.assertEqual(more, [])

    def test_no_process_runs_a_shell(self):
        lines = [line for _, line in self.box.processes()]
        self.assertEqual([line for line in lines if not line.startswith(
            ("s6-svscan ", "s6-supervise ", "sinkholed", "sinkhole-refresh "))], [])

    def test_the_scan_directory_has_no_program_of_its_own(self):
        done = self.inside("cd /run/s6/sinkholed && for file in run finish; do "
                           "[ -L $file ] && [ -x $file ] || echo $file; done")
        self.assertEqual((done.returncode, done.stdout), (0, ""))

    def test_an_operator_can_ask_and_flip(self):
        self.box.ctl("mode", "set", "bounce", "--wait")
        self.assertIn("bounce", self.box.ctl("mode").stdout)
        self.assertEqual(self.box.ctl("mode", "set", "nonsense", check=False).returncode, 100)


if __name__ == "__main__":
    tap.main()
