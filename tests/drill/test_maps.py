#!/usr/bin/env python3
"""render-maps: what it writes, when it refuses, and what a crash leaves behind."""

import collections
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import image
import podman
import tap

ROUTE = "sinkhole.test\tsmtp:[sinkhole.cabal.internal]:25\n"
ON = {"SINKHOLE_ENABLED": "true", "NETWORK_CIDR": "10.1.2.0/24"}
OFF = {"NETWORK_CIDR": "10.0.0.0/8"}
WHOLE = {"on": {"mailertable": ROUTE, "mailertable.db": ROUTE, "relay-domains": "10.1.2\n"},
         "off": {"mailertable": "", "mailertable.db": "", "relay-domains": "10\n"}}


class Maps(unittest.TestCase):
    """A directory of maps, the renderer, and makemap as the image has it."""

    @classmethod
    def setUpClass(cls):
        cls.program = image.renderer()
        cls.root = podman.podman("image", "mount", image.built()).stdout.strip()
        cls.addClassCleanup(podman.podman, "image", "unmount", image.built())

    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.dir = os.path.join(scratch.name, "maps")
        os.mkdir(self.dir)
        self.makemap = os.path.join(scratch.name, "makemap")
        self.write_makemap()

    def write_makemap(self, before=""):
        """A makemap that runs the image's with the image's libraries."""
        loader = glob.glob(f"{self.root}/lib*/ld-linux*.so.*")[0]
        libraries = ":".join(glob.glob(f"{self.root}/lib/*-linux-gnu") +
                             glob.glob(f"{self.root}/usr/lib/*-linux-gnu"))
        with open(self.makemap, "w", encoding="ascii") as file:
            file.write(f"#!/bin/sh\nexec {before} {loader} --library-path {libraries} "
                       f"{self.root}/usr/sbin/makemap -C /dev/null \"$@\"\n")
        os.chmod(self.makemap, 0o755)

    def render(self, env, prefix=()):
        return subprocess.run([*prefix, self.program, "--dir", self.dir,
                               "--makemap", self.makemap],
                              env={"PATH": os.environ["PATH"], **env}, text=True,
                              capture_output=True, check=False)

    def rendered(self, env):
        """Renders, expects that to be good, and returns what sendmail reads then."""
        done = self.render(env)
        self.assertEqual((0, ""), (done.returncode, done.stderr))
        return self.content()

    def content(self):
        """What the maps say; the database as text."""
        found = {}
        for name in WHOLE["on"]:
            path = os.path.join(self.dir, name)
            if name.endswith(".db"):
                dump = subprocess.run([self.makemap, "-u", "hash", path], text=True,
                                      capture_output=True, check=True)
                found[name] = dump.stdout
            else:
                with open(path, encoding="ascii") as file:
                    found[name] = file.read()
        return found


class Content(Maps):
    def test_the_line_is_there_when_the_flag_is_true(self):
        self.assertEqual(WHOLE["on"], self.rendered(ON))

    def test_no_line_without_the_flag(self):
        for env in ({}, {"SINKHOLE_ENABLED": ""}, {"SINKHOLE_ENABLED": "false"}):
            with self.subTest(env=env):
                self.assertEqual("", self.rendered(env)["mailertable.db"])

    def test_only_the_word_true_is_true(self):
        for word in ("True", "TRUE", "1", "yes", "true "):
            with self.subTest(word=word):
                done = self.render({"SINKHOLE_ENABLED": word})
                self.assertEqual(0, done.returncode)
                self.assertIn(f'SINKHOLE_ENABLED is "{word}"', done.stderr)
                self.assertEqual("", self.content()["mailertable"])

    def test_the_route_goes_when_the_flag_goes(self):
        self.rendered(ON)
        self.assertEqual(WHOLE["off"], self.rendered(OFF))

    def test_a_whole_number_of_octets_names_the_network(self):
        for cidr, line in (("10.2.3.4/8", "10\n"), ("10.2.3.4/16", "10.2\n"),
                           ("10.2.3.4/24", "10.2.3\n"), ("10.2.3.4/32", "10.2.3.4\n")):
            with self.subTest(cidr=cidr):
                self.assertEqual(line, self.rendered({"NETWORK_CIDR": cidr})["relay-domains"])

    def test_a_network_that_cannot_be_said_changes_nothing(self):
        self.rendered(ON)
        for cidr in ("10.0.0.0/20", "10.0.0.0", "10.0.0.256/8", "10.0.0.0/0", "x", "1.2.3.4/8x"):
            with self.subTest(cidr=cidr):
                done = self.render({"NETWORK_CIDR": cidr})
                self.assertEqual(100, done.returncode)
                self.assertRegex(done.stderr, r"^render-maps: NETWORK_CIDR is .*: want .*\n$")
                self.assertEqual(WHOLE["on"], self.content())

    def test_prod_refuses_the_route_and_changes_nothing(self):
        self.rendered(OFF)
        for name in ("prod", "PROD", "Production", "prod-eu"):
            with self.subTest(name=name):
                done = self.render({**ON, "SINKHOLE_ENVIRONMENT": name})
                self.assertEqual(100, done.returncode)
                self.assertRegex(done.stderr, rf'^render-maps: .*"{name}".*in prod.*\n$')
                self.assertEqual(WHOLE["off"], self.content())

    def test_prod_without_the_flag_is_served(self):
        self.assertEqual(WHOLE["off"], self.rendered({**OFF, "SINKHOLE_ENVIRONMENT": "prod"}))

    def test_other_environments_have_the_route(self):
        self.assertEqual(WHOLE["on"], self.rendered({**ON, "SINKHOLE_ENVIRONMENT": "stage"}))

    def test_nothing_is_written_when_nothing_changes(self):
        self.rendered(ON)
        before = [os.stat(path) for path in sorted(glob.glob(f"{self.dir}/*"))]
        self.rendered(ON)
        after = [os.stat(path) for path in sorted(glob.glob(f"{self.dir}/*"))]
        self.assertEqual([(s.st_ino, s.st_mtime_ns) for s in before],
                         [(s.st_ino, s.st_mtime_ns) for s in after])

    def test_a_makemap_that_fails_leaves_the_old_maps(self):
        self.rendered(OFF)
        self.write_makemap(before="false")
        self.assertEqual(111, self.render(ON).returncode)
        self.write_makemap()
        self.assertEqual(WHOLE["off"], self.content())

    def test_a_directory_that_is_not_there(self):
        shutil.rmtree(self.dir)
        done = self.render(ON)
        self.assertEqual(111, done.returncode)
        self.assertRegex(done.stderr, r"^render-maps: cannot enter .*: No such file.*\n$")


@unittest.skipUnless(shutil.which("strace"), "strace is not installed (make deps drill)")
class Crash(Maps):
    """Killed at its first system call, its second, and so on to the last."""

    def strace(self, *options):
        self.calls = os.path.join(os.path.dirname(self.dir), "calls")
        return ["strace", "-qq", "-o", self.calls, *options]

    def cuts(self):
        """strace's options that kill at each call of the recorded run, one after the other.

        strace counts each system call by its name: the fourth openat, the second fsync.
        """
        with open(self.calls, encoding="utf-8", errors="replace") as file:
            names = re.findall(r"^(\w+)\(", file.read(), re.MULTILINE)
        seen = collections.Counter()
        for name in names[1:]:  # the execve that starts it all
            seen[name] += 1
            yield f"inject={name}:signal=KILL:when={seen[name]}"

    def kill_everywhere(self, start, goal, render):
        """render(env, strace's words) takes the maps from start to goal and is killed on the way.

        What is found then must be whole, each file old or new; the next run must finish.
        """
        envs = {"on": ON, "off": OFF}
        self.rendered(envs[start])
        self.assertEqual(0, render(envs[goal], self.strace()).returncode)
        cuts = list(self.cuts())
        for cut in cuts:
            self.rendered(envs[start])
            killed = render(envs[goal], self.strace("-e", cut))
            self.assertNotEqual(0, killed.returncode, f"{cut} killed nothing")
            for name, text in self.content().items():
                self.assertIn(text, (WHOLE[start][name], WHOLE[goal][name]),
                              f"{name} is torn after {cut}")
            self.assertEqual(WHOLE[goal], self.rendered(envs[goal]))
        return cuts

    def render_makemap_under(self, env, strace):
        self.write_makemap(before=" ".join(strace))
        try:
            return self.render(env)
        finally:
            self.write_makemap()

    def test_the_renderer_to_the_route(self):
        cuts = self.kill_everywhere("off", "on", self.render)
        self.assertIn("inject=renameat:signal=KILL:when=3", cuts)

    def test_the_renderer_from_the_route(self):
        self.kill_everywhere("on", "off", self.render)

    def test_makemap(self):
        cuts = self.kill_everywhere("off", "on", self.render_makemap_under)
        self.assertGreater(len(cuts), 100)


if __name__ == "__main__":
    tap.main()
