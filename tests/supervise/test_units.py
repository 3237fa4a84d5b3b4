#!/usr/bin/env python3
"""What etc/ has for supervisors: right by the tools that read it, and complete."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(os.path.dirname(HERE), "lib"),
                os.path.join(os.path.dirname(HERE), "lint")]
import sinkhole  # noqa: E402
import tap  # noqa: E402
import tree  # noqa: E402

UNITS = os.path.join(sinkhole.REPO, "etc", "systemd")
EXPOSURE_MAX = 1.2


def section(unit, name):
    """The settings in one section of a unit file, as pairs in their order."""
    pairs, inside = [], False
    for line in tree.text(f"etc/systemd/{unit}").splitlines():
        if line.startswith("["):
            inside = line == f"[{name}]"
        elif inside and "=" in line and not line.startswith("#"):
            pairs.append(tuple(line.split("=", 1)))
    return pairs


@unittest.skipUnless(shutil.which("systemd-analyze"), "systemd-analyze is not installed")
class Analyzed(unittest.TestCase):
    def setUp(self):
        """Copies that name the programs of this build; a template as an instance of it."""
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.paths = {}
        for name in os.listdir(UNITS):
            with open(os.path.join(UNITS, name), encoding="utf-8") as file:
                text = file.read().replace("/usr/local/sbin/", sinkhole.BUILD + "/")
            for target in (name, name.replace("@.", "@one.")):
                self.paths[target] = os.path.join(directory.name, target)
                with open(self.paths[target], "w", encoding="utf-8") as file:
                    file.write(text)

    def test_verify(self):
        names = ["sinkhole.socket", "sinkhole.service", "sinkhole-inetd.socket",
                 "sinkhole-inetd@one.service"]
        done = subprocess.run(["systemd-analyze", "--man=no", "verify",
                               *(self.paths[name] for name in names)],
                              capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, done.stdout + done.stderr), (0, ""))

    def test_exposure(self):
        for name in ("sinkhole.service", "sinkhole-inetd@one.service"):
            with self.subTest(name):
                done = subprocess.run(["systemd-analyze", "security", "--offline=yes",
                                       "--no-pager", self.paths[name]],
                                      capture_output=True, text=True, check=False)
                if "offline" in done.stderr:
                    self.skipTest("this systemd-analyze judges no files")
                score = float(re.search(r"Overall exposure level.*: ([\d.]+)", done.stdout)[1])
                print(f"# {name}: exposure {score}")
                self.assertLessEqual(score, EXPOSURE_MAX, done.stdout)


class Alike(unittest.TestCase):
    STYLE = {"Type", "ExecStart", "ExecReload", "Restart", "RestartPreventExitStatus",
             "TimeoutStopSec", "StandardInput", "StandardOutput", "StandardError", "ExitType"}

    def test_both_styles_are_shut_in_alike(self):
        one, other = ([pair for pair in section(name, "Service")
                       if pair[0] not in self.STYLE]
                      for name in ("sinkhole.service", "sinkhole-inetd@.service"))
        self.assertEqual(one, other)
        self.assertIn(("ProtectSystem", "strict"), one)

    def test_both_listen_on_the_same(self):
        one, other = ([pair for pair in section(name, "Socket") if pair[0] == "ListenStream"]
                      for name in ("sinkhole.socket", "sinkhole-inetd.socket"))
        self.assertEqual(one, other)


class Environment(unittest.TestCase):
    """etc/sinkhole.env has every variable, and no other."""

    def named(self):
        return re.findall(r"^#?([A-Z][A-Z0-9_]*)=", tree.text("etc/sinkhole.env"), re.MULTILINE)

    def test_every_variable_once(self):
        self.assertEqual(len(self.named()), len(set(self.named())))

    def test_the_daemons(self):
        known = set(re.findall(r'"(SINKHOLE_[A-Z_]+)"', tree.text("src/server/settings.c")))
        self.assertGreater(len(known), 10)
        self.assertEqual({n for n in self.named() if n.startswith("SINKHOLE_")}, known)

    def test_those_of_aws(self):
        known = {"AWS_ENDPOINT_URL_SSM"}  # put together from the service's name
        for path in tree.tracked("src/aws/*.c"):
            known |= set(re.findall(r'"(AWS_[A-Z0-9_]+)"', tree.text(path)))
        self.assertGreater(len(known), 10)
        self.assertEqual({n for n in self.named() if n.startswith("AWS_")} ^ known, set())

    def test_a_shell_and_the_daemon_take_it_as_it_is_and_with_its_defaults(self):
        with tempfile.TemporaryDirectory() as directory:
            path = os.path.join(directory, "env")
            lines = [line.lstrip("#") if re.match(r"#SINKHOLE_", line) else line
                     for line in tree.text("etc/sinkhole.env").splitlines(True)]
            with open(path, "w", encoding="utf-8") as file:
                file.writelines(lines)
            done = sinkhole.run("sh", "-euc", 'set -a; . "$0"; exec "$@" --idle-exit=0 --help',
                                path, sinkhole.program("sinkholed"))
            self.assertEqual((done.returncode, done.stderr), (0, ""))


if __name__ == "__main__":
    tap.main()
