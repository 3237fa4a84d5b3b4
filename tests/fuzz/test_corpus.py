#!/usr/bin/env python3
"""Replays each fuzzer's corpus without libFuzzer: what was once found stays mended."""

import os
import subprocess
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "lib"))
import sinkhole  # noqa: E402
import tap  # noqa: E402

TARGETS = sorted(name[len("fuzz_"):-len(".c")] for name in os.listdir(HERE)
                 if name.startswith("fuzz_") and name.endswith(".c"))


class Corpus(unittest.TestCase):
    """One test a target."""


def replay(case, name):
    corpus = os.path.join(HERE, "corpus", name)
    result = subprocess.run([sinkhole.program(f"replay/{name}"), corpus], capture_output=True,
                            text=True, timeout=300, check=False)
    case.assertEqual(result.returncode, 0, f"{result.stdout[-300:]}{result.stderr[-3000:]}")
    case.assertIn(f"1..{len(os.listdir(corpus))}\n", result.stdout)


for target in TARGETS:
    setattr(Corpus, f"test_{target}", lambda self, name=target: replay(self, name))

if __name__ == "__main__":
    tap.main()
