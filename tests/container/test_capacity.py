#!/usr/bin/env python3
"""250 sessions at once within the memory that the task definition gives."""

import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import mailer  # noqa: E402
import tap  # noqa: E402
import tier  # noqa: E402

SESSIONS = 250
SPARE = 0.25  # of the limit
PEAK = ("memory.max_usage_in_bytes", "memory.peak")
NOW = ("memory.usage_in_bytes", "memory.current")


class Capacity(unittest.TestCase):
    def test_sessions_held_at_once(self):
        with tier.Network() as network, tier.Tier(network=network.name) as box:
            box.set_mode("accept")
            idle = box.memory(NOW)
            clients = [mailer.Client(25, box.address).hello() for _ in range(SESSIONS)]
            for client in clients:
                client.mail()
                client.command("DATA", 354)
            busy = box.status()["workers"]["busy"]
            self.assertGreaterEqual(busy, SESSIONS)
            held, peak = box.memory(NOW), box.memory(PEAK)
            for client in clients:
                client.send(mailer.MESSAGE.format("one") + ".\r\n")
                client.expect(250)
                client.command("QUIT", 221)
                client.close()
            print(f"# {SESSIONS} sessions in DATA: {held / 2**20:.1f} MiB, at most "
                  f"{peak / 2**20:.1f} of {tier.MEMORY / 2**20:.0f} MiB; idle {idle / 2**20:.1f}")
            self.assertLess(peak, (1 - SPARE) * tier.MEMORY)
            self.assertEqual(box.events("worker_died"), [])


if __name__ == "__main__":
    tap.main()
