#!/usr/bin/env python3
"""make: what it keeps; make install: what lands where."""

import json
import os
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import tap  # noqa: E402
from sinkhole import BUILD, REPO, clean_environment, run  # noqa: E402

FILES = {
    "bin/sinkholectl": 0o755,
    "sbin/sinkholed": 0o755,
    "sbin/sinkhole-refresh": 0o755,
    "share/man/man1/sinkholectl.1": 0o644,
    "share/man/man8/sinkholed.8": 0o644,
    "share/man/man8/sinkhole-refresh.8": 0o644,
    "share/bash-completion/completions/sinkholectl": 0o644,
    "share/zsh/site-functions/_sinkholectl": 0o644,
    "share/doc/sinkhole/README.md": 0o644,
    "share/doc/sinkhole/examples/etc/sinkhole.env": 0o644,
}


# Samples that name a program by its path.
NAMING = ["systemd/sinkhole.service", "systemd/sinkhole-inetd@.service", "xinetd/sinkhole",
          "xinetd/sinkhole-wait", "s6/devbox/sinkholed/run"]


def make(folder, *words):
    subprocess.run(["make", "-C", folder, *words], check=True, capture_output=True,
                   env={k: v for k, v in clean_environment().items()
                        if not k.startswith("MAKE")})


class Objects(unittest.TestCase):
    def test_those_of_programs_with_one_source_are_kept(self):
        """make would take them for scraps, and build them all again the next time."""
        kept = os.listdir(os.path.join(BUILD, "obj", "unit"))
        for test in os.listdir(os.path.join(BUILD, "tests")):
            self.assertIn(f"{test}.o", kept)


class Install(unittest.TestCase):
    def test_destdir_may_be_relative(self):
        with tempfile.TemporaryDirectory(dir=BUILD) as root:
            make(REPO, "install", f"BUILD={BUILD}", f"DESTDIR={os.path.relpath(root, REPO)}")
            self.assertEqual(os.listdir(root), ["usr"])

    def test_destdir_and_prefix(self):
        with tempfile.TemporaryDirectory() as root:
            make(BUILD, "install", f"DESTDIR={root}", "prefix=/usr")
            for path, mode in FILES.items():
                with self.subTest(path):
                    self.assertEqual(os.stat(os.path.join(root, "usr", path)).st_mode & 0o777,
                                     mode)
            self.assertEqual(os.listdir(root), ["usr"], "and nothing beside it")
            self.they_find_each_other(root)
            self.samples_name_them_there(os.path.join(root, "usr", "share", "doc", "sinkhole",
                                                      "examples", "etc"))

    def samples_name_them_there(self, examples):
        for name in NAMING:
            with open(os.path.join(examples, name), encoding="utf-8") as sample:
                text = sample.read()
            self.assertRegex(text, r"[=: ]/usr/sbin\b")
            self.assertNotIn("/usr/local", text)

    def they_find_each_other(self, root):
        """Without PATH, and in another place than they were built for."""
        fetched = run(os.path.join(root, "usr", "bin", "sinkholectl"), "refresh", "--json",
                      "--run-dir", os.path.join(root, "run"), "--mode-source", "static:bounce",
                      env={"PATH": "/usr/bin:/bin"})
        self.assertEqual(fetched.returncode, 0, fetched.stderr)
        self.assertEqual(json.loads(fetched.stdout)["mode"], "bounce")


if __name__ == "__main__":
    tap.main()
