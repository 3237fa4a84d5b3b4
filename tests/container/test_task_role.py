#!/usr/bin/env python3
"""The mode from Parameter Store by the credentials of the task's role, as in an ECS task: the
agent gives them out at 169.254.170.2 in the task's own network.

moto stands in for AWS, or a smaller stand-in where there is none: a call that is signed badly is
refused.
"""

import concurrent.futures
import ctypes
import os
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import aws  # noqa: E402
import cloud  # noqa: E402
import mailer  # noqa: E402
import netns  # noqa: E402
import procfs  # noqa: E402
import tap  # noqa: E402
import tier  # noqa: E402
from sinkhole import wait_for  # noqa: E402

AGENT = "169.254.170.2"
URI = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"
LONG = 3600  # seconds: nothing is fetched but on demand
CLONE_NEWNET = 0x40000000


def inside(path, make):
    """What make() returns, run by a thread in that network: its sockets stay there."""
    def work():
        with open(path, "rb") as file:
            if ctypes.CDLL(None, use_errno=True).setns(file.fileno(), CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), f"setns {path}")
        return make()
    with concurrent.futures.ThreadPoolExecutor(1) as thread:
        return thread.submit(work).result()


class TaskRole(aws.Case):
    @classmethod
    def setUpClass(cls):
        tier.image()
        if netns.missing():
            raise unittest.SkipTest(netns.missing())
        super().setUpClass()
        net = cls.net = cls.enterClassContext(netns.Namespace())
        subprocess.run(["ip", "-netns", net.name, "address", "add", f"{AGENT}/32", "dev", "lo"],
                       check=True)
        cls.agent = cls.enterClassContext(inside(
            net.path, lambda: aws.Metadata(cls.cloud.role, host=AGENT, port=80)))
        cls.ssm = cls.enterClassContext(aws.Proxy(cls.cloud.store.port, host=net.here))

    def tier(self, ttl):
        return self.enterContext(tier.Tier(network=f"ns:{self.net.path}", env={
            "TIER": "sinkhole", "AWS_REGION": cloud.REGION,
            "SINKHOLE_MODE_PARAM": aws.PARAMETER, "SINKHOLE_CACHE_TTL": str(ttl),
            "AWS_ENDPOINT_URL_SSM": self.ssm.url, URI: "/credentials"}))

    def answer(self):
        """To RCPT TO."""
        with mailer.Client(25, self.net.there) as client:
            client.hello().command("MAIL FROM:<from@example.test>", 250)
            client.send("RCPT TO:<nobody@sinkhole.test>\r\n")
            return client.reply()[0]

    def test_the_role_reads_the_mode(self):
        self.cloud.flip("bounce")
        box = self.tier(LONG)
        self.assertEqual(self.answer(), 550)
        self.assertIn("GET /credentials", self.agent.paths)
        signed = self.ssm.requests[-1][2]
        self.assertIn(f"Credential={self.cloud.role.key}/", signed["Authorization"])
        self.assertEqual(box.events("ready")[0]["source"], f"ssm:{aws.PARAMETER}")
        self.assertEqual(box.ctl("check").returncode, 0)

    def test_a_flip_is_seen_within_the_ttl(self):
        self.cloud.flip("defer")
        self.tier(2)
        self.assertEqual(self.answer(), 421)
        self.cloud.flip("accept")
        wait_for(lambda: self.answer() == 250, "the flip is served")

    def test_an_operator_in_the_task_refreshes_at_once(self):
        self.cloud.flip("defer")
        box = self.tier(LONG)
        self.cloud.flip("bounce")
        self.assertEqual(self.answer(), 421)
        self.assertIn("bounce", box.ctl("refresh").stdout)
        self.assertEqual(self.answer(), 550)

    def test_the_daemon_forgets_what_only_its_refresher_may_know(self):
        box = self.tier(LONG)
        knows = {line.split()[0] for pid, line in box.processes() if URI in
                 procfs.environment(pid)}
        self.assertEqual(knows, {"s6-svscan", "s6-supervise"})  # which started it
        self.assertTrue(self.agent.paths)
        for secret in self.cloud.role.secrets():
            self.assertNotIn(secret, "".join(box.output()))


if __name__ == "__main__":
    tap.main()
