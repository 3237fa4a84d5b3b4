#!/usr/bin/env python3
"""The image, run with exactly what the rendered task definition says.

Terraform is applied to moto; the container definition that ECS got becomes podman's flags, and
the mode is the parameter that Terraform made. What stands in for the ECS agent is the credentials
and the endpoint, as variables.
"""

import os
import smtplib
import sys
import unittest

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "tests/lib"))

import cloud  # noqa: E402
import foundation  # noqa: E402
import netns  # noqa: E402
import podman  # noqa: E402
import sinkhole  # noqa: E402
import tap  # noqa: E402
import taskdef  # noqa: E402
import terraform  # noqa: E402
import tier  # noqa: E402
from sinkhole import wait_for  # noqa: E402

NAME = f"sinkhole-infra-{os.getpid()}"
MODE = "/cabal/sinkhole_mode"


def missing():
    return cloud.missing() or podman.missing() or netns.missing()


class Flags(unittest.TestCase):
    """The translation itself."""

    def test_nothing_is_forgotten(self):
        for unknown in ({"gpu": 1}, {"mountPoints": [{}]}, {"linuxParameters": {
                "initProcessEnabled": True, "capabilities": {"drop": [], "add": []},
                "tmpfs": [], "swappiness": 1}}):
            with self.assertRaises(ValueError):
                taskdef.podman_flags(unknown)

    def test_a_health_check_by_a_shell_is_refused(self):
        with self.assertRaises(ValueError):
            taskdef.health_command({"healthCheck": {"command": ["CMD-SHELL", "true"]}})


class Task(unittest.TestCase):
    """The task as ECS would run it."""

    @classmethod
    def setUpClass(cls):
        why = missing()
        if why:
            raise unittest.SkipTest(why)
        cls.image = tier.image()
        try:
            cls.tf = terraform.Workspace()
        except terraform.Unavailable as unavailable:
            raise unittest.SkipTest(str(unavailable)) from None
        cls.addClassCleanup(cls.tf.close)
        cls.net = cls.enterClassContext(netns.Namespace())
        cls.moto = cls.enterClassContext(cloud.Moto(cls.net.here))
        cls._apply()
        cls.start(cls.definition)

    @classmethod
    def _apply(cls):
        cls.tf.env |= {name: value for name, value in cls.moto.environ().items()
                       if name.startswith("AWS_")}
        variables = foundation.build(cls.moto) | {"smtp_out": None}
        cls.tf.write_json("foundation.auto.tfvars.json", variables)
        cls.tf.run("apply", "-auto-approve", "-var=environment=stage", "-var=sinkhole=true")
        task = cls.moto.client("ecs").describe_task_definition(taskDefinition="cabal-sinkhole")
        cls.definition = task["taskDefinition"]["containerDefinitions"][0]

    @classmethod
    def start(cls, definition, *more, name=NAME):
        agent = {"AWS_ENDPOINT_URL_SSM": cls.moto.url, "AWS_ACCESS_KEY_ID": "testing",
                 "AWS_SECRET_ACCESS_KEY": "testing"}
        cls.addClassCleanup(podman.remove, name)
        podman.run("--detach", "--name", name, f"--network=ns:{cls.net.path}",
                   *taskdef.podman_flags(definition),
                   *(f"--env={key}={value}" for key, value in agent.items()), *more, cls.image)

    def healthy(self, name=NAME):
        command = taskdef.health_command(self.definition)
        return podman.execute(name, *command, check=False).returncode == 0

    def rcpt(self):
        """What RCPT TO is answered, over the wire."""
        with smtplib.SMTP(self.net.there, 25, timeout=30) as client:
            client.ehlo("smtp-out.example.net")
            client.mail("operator@example.net")
            return client.rcpt("nobody@sinkhole.test")

    def test_1_it_becomes_healthy(self):
        wait_for(self.healthy, "the health check of the task definition passes")

    def test_2_it_defers_as_the_new_parameter_says(self):
        self.assertEqual(self.rcpt(), (421, b"4.3.2 Service temporarily unavailable"))

    def test_3_an_operator_flips_the_parameter(self):
        self.moto.aws("ssm", "put-parameter", "--name", MODE, "--value", "accept", "--overwrite")
        podman.execute(NAME, "/usr/bin/sinkholectl", "refresh")
        wait_for(lambda: self.rcpt()[0] == 250, "the flip reaches a session")

    def test_4_the_kernel_sees_the_posture(self):
        with open(f"/proc/{podman.pid(NAME)}/status", encoding="ascii") as text:
            status = dict(line.split(":\t", 1) for line in text.read().splitlines() if ":\t" in line)
        for field in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
            self.assertEqual(int(status[field], 16), 0, field)
        self.assertEqual(status["NoNewPrivs"], "1")
        self.assertEqual(status["Uid"].split(), ["10025"] * 4)
        self.assertEqual(status["Gid"].split(), ["10025"] * 4)

    def mounts(self):
        with open(f"/proc/{podman.pid(NAME)}/mounts", encoding="ascii") as text:
            return {line.split()[1]: set(line.split()[3].split(",")) for line in text}

    def test_5_only_the_mounts_of_the_definition_are_writable(self):
        mounts = self.mounts()
        self.assertIn("ro", mounts["/"])
        for path in ("/run", "/tmp"):
            self.assertLessEqual({"rw", "nosuid", "nodev", "noexec"}, mounts[path], path)

    def test_6_it_says_who_it_is(self):
        with smtplib.SMTP(self.net.there, 25, timeout=30) as client:
            _, greeting = client.ehlo("smtp-out.example.net")
        self.assertIn(b"sinkhole.cabal.internal", greeting)

    def test_7_it_stops_in_time(self):
        podman.podman("stop", "--time", str(self.definition["stopTimeout"]), NAME)
        self.assertEqual(podman.inspect(NAME, "{{.State.ExitCode}}"), "0")

    def test_8_exec_and_its_mounts_do_not_hinder_it(self):
        plan = self.tf.plan("-var=environment=stage", "-var=sinkhole=true", "-var=exec=true")
        definition = plan["planned_values"]["outputs"]["container"]["value"]
        self.start(definition, name=f"{NAME}-exec")
        wait_for(lambda: self.healthy(f"{NAME}-exec"), "the task with ECS Exec is healthy")
        for path in ("/var/lib/amazon", "/var/log/amazon"):
            with open(f"/proc/{podman.pid(f'{NAME}-exec')}/mounts", encoding="ascii") as text:
                self.assertRegex(text.read(), rf"tmpfs {path} tmpfs rw")
        podman.remove(f"{NAME}-exec")

    def test_9_in_prod_the_program_itself_refuses(self):
        self.start(self.definition, "--env=SINKHOLE_ENVIRONMENT=prod", name=f"{NAME}-prod")
        ended = podman.podman("wait", f"{NAME}-prod").stdout.strip()
        self.assertEqual(ended, "100")


@unittest.skipUnless(os.access(sinkhole.program("sinkholed"), os.X_OK),
                     "sinkholed is not built (make)")
class Program(unittest.TestCase):
    """The last guard, without a container."""

    def test_prod_is_refused_in_any_spelling(self):
        for name in ("prod", "PROD", "Prod"):
            done = sinkhole.run(sinkhole.program("sinkholed"), "--bind-port", "0",
                                env={"SINKHOLE_ENVIRONMENT": name})
            self.assertEqual(done.returncode, 100, done.stderr)
            self.assertIn("prod", done.stderr.lower())


if __name__ == "__main__":
    tap.main()
