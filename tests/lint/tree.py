"""The tracked files, for the checks of the text."""

import os
import shutil
import subprocess
import unittest

REPO = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def tracked(*patterns):
    """Paths relative to the repository's top; all of them, or those that git's patterns match.
    Files that are new but not ignored count too. Where there is no repository, as in what `make
    dist` packs, the test is skipped."""
    if not os.path.exists(os.path.join(REPO, ".git")):
        raise unittest.SkipTest("this is no git checkout")
    out = subprocess.run(["git", "-C", REPO, "ls-files", "-co", "--exclude-standard", "-z", "--",
                          *patterns], check=True, capture_output=True).stdout
    return [p for p in out.decode().split("\0") if p and os.path.isfile(os.path.join(REPO, p))]


def text(path):
    with open(os.path.join(REPO, path), encoding="utf-8", errors="surrogateescape") as file:
        return file.read()


def is_binary(path):
    with open(os.path.join(REPO, path), "rb") as file:
        return b"\0" in file.read(4096)


def need(tool):
    """The tool's path, or the test is skipped."""
    found = shutil.which(tool)
    if not found:
        raise unittest.SkipTest(f"{tool} is not installed")
    return found
