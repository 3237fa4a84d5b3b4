#!/usr/bin/env python3
"""The Terraform code by itself: form, validity, its own tests, and what a plan consists of."""

import glob
import json
import os
import re
import sys
import unittest

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "tests/lib"))

import tap  # noqa: E402
import terraform  # noqa: E402

INFRA = os.path.join(TOP, "infra")
TESTS = [os.path.join("tests", name) for name in sorted(os.listdir(os.path.join(INFRA, "tests")))
         if name.endswith(".tftest.hcl")]
MODULES = sorted(glob.glob(os.path.join(INFRA, "modules", "*")))

REPOSITORY = {"module.ecr.aws_ecr_repository.this", "module.ecr.aws_ecr_lifecycle_policy.this"}
TIER = {f"module.sinkhole[0].{address}" for address in (
    "aws_cloudwatch_log_group.this[0]",
    'aws_cloudwatch_log_metric_filter.this["source_failing"]',
    'aws_cloudwatch_log_metric_filter.this["worker_died"]',
    'aws_cloudwatch_metric_alarm.this["mode-stale"]',
    'aws_cloudwatch_metric_alarm.this["workers-crash"]',
    "aws_ecs_service.this[0]",
    "aws_ecs_task_definition.this[0]",
    "aws_iam_role.task[0]",
    "aws_iam_role_policy.task[0]",
    "aws_security_group.this[0]",
    "aws_service_discovery_service.this[0]",
    "aws_ssm_parameter.mode[0]",
    "aws_vpc_security_group_egress_rule.https[0]",
    "aws_vpc_security_group_ingress_rule.smtp[0]",
    "terraform_data.posture[0]",
    "terraform_data.sinkhole_cloud_map_lifecycle[0]",
)}
ROUTE = {"module.smtp_out_route.aws_cloudwatch_log_metric_filter.leak[0]",
         "module.smtp_out_route.aws_cloudwatch_metric_alarm.leak[0]"}
# What the runs of plans.tftest.hcl may consist of.
PLANS = {"off_in_prod": REPOSITORY, "off_in_stage": REPOSITORY, "module_off": set(),
         "on_in_stage": REPOSITORY | TIER | ROUTE}


def read(path):
    with open(path, encoding="utf-8") as text:
        return text.read()


def blocks(path, kind):
    """{name: body} of the top-level blocks of one kind, such as variable or output."""
    found = re.findall(rf'^{kind} "([^"]+)" \{{\n(.*?)^\}}', read(path), re.MULTILINE | re.DOTALL)
    return dict(found)


class Form(unittest.TestCase):
    """What needs no provider."""

    def test_every_module_has_the_same_files(self):
        for module in MODULES:
            missing = {"main.tf", "variables.tf", "outputs.tf", "versions.tf", "README.md"} \
                - set(os.listdir(module))
            self.assertFalse(missing, os.path.basename(module))

    def test_every_input_and_output_is_described(self):
        for kind, name in (("variable", "variables.tf"), ("output", "outputs.tf")):
            for path in glob.glob(os.path.join(INFRA, "**", name), recursive=True):
                found = blocks(path, kind)
                self.assertTrue(found, path)
                for block, body in found.items():
                    self.assertRegex(body, r'description = "[^"]{10}', f"{path}: {block}")

    def test_every_input_has_a_type(self):
        for path in glob.glob(os.path.join(INFRA, "**", "variables.tf"), recursive=True):
            for name, body in blocks(path, "variable").items():
                self.assertRegex(body, r"(?m)^  type\s+=", f"{path}: {name}")

    def test_a_readme_names_every_input_and_output(self):
        for directory in MODULES + [INFRA]:
            text = read(os.path.join(directory, "README.md"))
            for kind, name in (("variable", "variables.tf"), ("output", "outputs.tf")):
                for block in blocks(os.path.join(directory, name), kind):
                    self.assertIn(f"`{block}`", text, directory)

    def test_every_reference_to_prod_is_an_allow_list(self):
        """A comparison with "prod" lets "production" through."""
        for path in glob.glob(os.path.join(INFRA, "**", "*.tf"), recursive=True):
            self.assertNotRegex(read(path), r'[!=]=\s*"prod', path)


class Native(unittest.TestCase):
    """terraform fmt, validate and test, with a mocked provider."""

    @classmethod
    def setUpClass(cls):
        cls.plans, cls.results, cls.messages = {}, {}, []
        try:
            cls.workspace = terraform.Workspace()
        except terraform.Unavailable as why:
            raise unittest.SkipTest(str(why)) from None
        cls.addClassCleanup(cls.workspace.close)
        plans = {path for path in TESTS if path.endswith("plans.tftest.hcl")}
        cls._collect(sorted(set(TESTS) - plans))
        # Verbose output has each plan, and megabytes of schemas with it.
        cls._collect(sorted(plans), "-verbose")

    @classmethod
    def _collect(cls, files, *flags):
        chosen = [f"-filter={path}" for path in files]
        text = cls.workspace.run("test", "-json", *flags, *chosen, check=False).stdout
        for line in text.splitlines():
            message = json.loads(line)
            cls._keep(message.get("@testrun"), message)

    @classmethod
    def _keep(cls, name, message):
        if message["type"] == "test_plan":
            cls.plans[name] = message["test_plan"]
        elif message["type"] == "test_run" and message["test_run"]["progress"] == "complete":
            key = (message["test_run"]["path"], message["test_run"]["run"])
            cls.results[key] = message["test_run"]["status"]
        elif message["type"] == "diagnostic":
            cls.messages.append(message["diagnostic"]["summary"] + ": "
                                + message["diagnostic"].get("detail", ""))

    def test_fmt(self):
        done = self.workspace.run("fmt", "-check", "-recursive", "-diff", check=False)
        self.assertEqual(done.returncode, 0, done.stdout)

    def test_validate(self):
        done = self.workspace.run("validate", check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_plans_consist_of_exactly_what_is_listed(self):
        for run, expected in PLANS.items():
            found = terraform.changes(self.plans[run])
            self.assertEqual(set(found), expected, run)
            self.assertEqual(set(found.values()), {"create"} if expected else set(), run)


def _add_native_runs():
    """One test for each run block, so that each is counted and named."""
    for path in TESTS:
        for name in re.findall(r'^run "([^"]+)"', read(os.path.join(INFRA, path)), re.MULTILINE):
            def test(self, key=(path, name)):
                self.assertEqual(self.results.get(key), "pass", "\n".join(self.messages))
            stem = os.path.basename(path).split(".")[0]
            setattr(Native, f"test_{stem}_{name}", test)


_add_native_runs()

if __name__ == "__main__":
    tap.main()
