#!/usr/bin/env python3
"""Follows docs/dev-box.md word by word, on a fresh machine with systemd (a container).

Blocks marked `sh` are run by one shell, in their order, as a user who may use sudo; those marked
`sh background` run at the same time, and are interrupted, as by Ctrl-C, at the end of their section.
A block marked `text` is what the block before it prints: `...` stands for anything, at the end of a
line or in it, and a line of nothing else for any number of lines.
"""

import os
import re
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))),
                                "lib"))
import machine  # noqa: E402
import podman  # noqa: E402
import sinkhole  # noqa: E402
import tap  # noqa: E402

PAGE = os.path.join(sinkhole.REPO, "docs", "dev-box.md")
BUNDLE = "/srv/sinkhole.bundle"
HOME = "/home" + "/dev"
RUNTIME = "/run/dev"
BLOCK_SECONDS = 300


def sections(text):
    """[(title, [(kind, block)])], without those that have no blocks."""
    found = []
    for part in re.split(r"^## ", text, flags=re.MULTILINE)[1:]:
        blocks = re.findall(r"^```(sh|sh background|text)\n(.*?)^```$", part,
                            re.MULTILINE | re.DOTALL)
        if blocks:
            found.append((part.split("\n", 1)[0], blocks))
    return found


def pattern(block):
    """A regular expression for what a text block shows."""
    lines = []
    for line in block.splitlines():
        if line == "...":
            lines.append(r"(?:.*\n)*?")
        else:
            lines.append(re.escape(line).replace(r"\.\.\.", ".*") + r"\n")
    return re.compile("".join(lines))


class Reader(machine.Machine):
    """Somebody who has logged in: the user dev, from the home directory on, with a runtime
    directory."""

    def __init__(self):
        super().__init__("dev-box")
        self.background = []
        self.directory = HOME

    def _words(self, script):
        return ["--user=dev", f"--workdir={self.directory}", f"--env=SINKHOLE_URL={BUNDLE}",
                f"--env=HOME={HOME}", f"--env=XDG_RUNTIME_DIR={RUNTIME}",
                "--env=PATH=/usr/local/bin:/usr/bin:/bin", self.name, "bash", "-euc", script]

    def run(self, script):
        """Runs a block to its end, which must be a good one; returns what it printed."""
        # swaks ends with 24 where no recipient was accepted: what was to be seen. A session's
        # log lines come after its last answer, and no person is faster than they are.
        script = ("swaks() { command swaks \"$@\" || [ $? = 24 ]; }\n"
                  "sudo() { [ \"$1\" != journalctl ] || sleep 3; command sudo \"$@\"; }\n"
                  f"{script}\necho \"@@ $PWD\"")
        done = podman.podman("exec", *self._words(script), check=False, timeout=BLOCK_SECONDS)
        output, marker, directory = done.stdout.rpartition("@@ ")
        if done.returncode != 0 or not marker:
            raise AssertionError(f"status {done.returncode}\n{done.stdout}\n{done.stderr}")
        self.directory = directory.strip()
        return output

    def start_background(self, script):
        # In a session of its own, whose leader's pid is noted: Ctrl-C goes to all of it.
        note = f"/tmp/background-{len(self.background)}"
        words = self._words("exec setsid -w bash -euc \"$0\"")
        self.background.append((note, subprocess.Popen(
            podman.command("exec", *words, f"echo $$ >{note}; {script}"),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)))
        # A person waits for it to say that it listens, which may take a build.
        sinkhole.wait_for(self._ready, "port 2525 listens", BLOCK_SECONDS)

    def _ready(self):
        if self.background[-1][1].poll() is not None:
            raise AssertionError(self.background[-1][1].communicate()[0].decode())
        return self.listens(2525)

    def interrupt(self):
        """Ends what runs in the background."""
        for note, process in self.background:
            if process.poll() is None:
                pid = self.execute("cat", note).strip()
                self.execute("bash", "-c", f"kill -INT -- -{pid} || :")
            process.communicate(timeout=sinkhole.PATIENCE)
        self.background = []


class Followed(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        machine.make()
        directory = tempfile.TemporaryDirectory()
        cls.addClassCleanup(directory.cleanup)
        bundle = os.path.join(directory.name, "bundle")
        subprocess.run(["git", "-C", sinkhole.REPO, "bundle", "create", "-q", bundle, "HEAD"],
                       check=True)
        cls.reader = Reader()
        cls.addClassCleanup(cls.reader.stop)
        cls.reader.start("--volume", f"{bundle}:{BUNDLE}:ro")
        cls.reader.execute("install", "-d", "-o", "dev", "-m", "700", RUNTIME)

    def follow(self, blocks):
        printed = None
        for kind, block in blocks:
            if kind == "sh background":
                self.reader.start_background(block)
            elif kind == "sh":
                printed = self.reader.run(block)
            elif not pattern(block).search(printed):
                self.fail(f"shown is\n{block}\nbut printed was\n{printed}")

    def test_every_way(self):
        with open(PAGE, encoding="utf-8") as page:
            parts = sections(page.read())
        self.assertGreater(len(parts), 6)
        for title, blocks in parts:
            with self.subTest(title):
                try:
                    self.follow(blocks)
                finally:
                    self.reader.interrupt()


if __name__ == "__main__":
    tap.main()
