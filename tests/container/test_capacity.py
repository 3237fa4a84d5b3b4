#!/usr/bin/env python3
"""Sessions held at once within the memory that the task definition gives."""

import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import mailer  # noqa: E402
import tap  # noqa: E402
import tier  # noqa: E402


def mib(figure):
    return f"{figure / 2**20:.1f} MiB"


class Capacity(unittest.TestCase):
    def hold(self, sessions, **env):
        """All in the middle of DATA at once; returns the memory that they need."""
        with tier.Network() as network, tier.Tier(network=network.name, env=env) as box:
            box.set_mode("accept")
            idle, _ = box.memory()
            clients = [mailer.Client(25, box.address).hello() for _ in range(sessions)]
            for client in clients:
                client.mail()
                client.command("DATA", 354)
            self.assertEqual(box.status()["workers"]["busy"], sessions)
            held, _ = box.memory()
            for client in clients:
                client.send(mailer.MESSAGE.format("one") + ".\r\n")
                client.expect(250)
                client.command("QUIT", 221)
                client.close()
            _, peak = box.memory()
            print(f"# {sessions} sessions in DATA: {mib(held)}, idle {mib(idle)}; with cached "
                  f"files at most {mib(peak)} of {mib(tier.MEMORY)}")
            self.assertEqual(box.events("worker_died"), [])
            self.assertEqual(len(box.events("session", messages=1)), sessions)
        return held

    def test_250_sessions_with_memory_to_spare(self):
        self.assertLess(self.hold(250), tier.MEMORY / 2)

    def test_500_sessions_fit(self):
        self.hold(500, SINKHOLE_WORKERS="8..512")


if __name__ == "__main__":
    tap.main()
