"""The smtp-out image, built when it is wanted; a test that cannot have it skips."""

import functools
import os
import shutil
import subprocess
import unittest

import podman

REPO = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
BUILD = os.environ.get("BUILD", os.path.join(REPO, "build"))
DIRECTORY = os.path.join(BUILD, "image")


def built():
    """The id of the image that smtp_out() built last, whoever has called it."""
    with open(os.path.join(DIRECTORY, "smtp-out.id"), encoding="ascii") as file:
        return file.read().strip()


@functools.cache
def smtp_out():
    """Builds the image from what is in the tree; returns its id."""
    reason = podman.missing()
    if not reason and not shutil.which("mmdebstrap"):
        reason = "mmdebstrap is not installed (make deps drill)"
    if reason:
        raise unittest.SkipTest(reason)
    done = subprocess.run([os.path.join(REPO, "container/smtp-out/build"), DIRECTORY],
                          text=True, capture_output=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"container/smtp-out/build failed\n{done.stderr}")
    return built()


def renderer():
    """The render-maps that the image has, as a program of this machine."""
    smtp_out()
    return os.path.join(DIRECTORY, "smtp-out/render-maps")
