#!/usr/bin/env python3
"""The scripts of infra/ci, run here: with moto as AWS, and a docker that only takes notes."""

import json
import os
import subprocess
import sys
import tempfile
import unittest

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "tests/lib"))

import cloud  # noqa: E402
import foundation  # noqa: E402
import tap  # noqa: E402
import terraform  # noqa: E402

CI = os.path.join(TOP, "infra/ci")
COMMIT = "89abcdef0123456789abcdef0123456789abcdef"
MANIFEST = json.dumps({
    "schemaVersion": 2, "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
    "config": {"mediaType": "application/vnd.docker.container.image.v1+json", "size": 1,
               "digest": "sha256:" + "0" * 64}, "layers": []})


class Case(unittest.TestCase):
    """A scratch directory, whose bin/ comes first on the PATH."""

    def setUp(self):
        self.scratch = self.enterContext(tempfile.TemporaryDirectory())
        os.mkdir(os.path.join(self.scratch, "bin"))
        self.env = dict(os.environ)

    def fake(self, name, body):
        path = os.path.join(self.scratch, "bin", name)
        with open(path, "w", encoding="utf-8") as out:
            out.write(f"#!/bin/sh\n{body}\n")
        os.chmod(path, 0o755)

    def notes(self, name):
        path = os.path.join(self.scratch, name)
        if not os.path.exists(path):
            return ""
        with open(path, encoding="utf-8") as text:
            return text.read()

    def run_script(self, script, *args, **variables):
        env = self.env | variables
        env["PATH"] = os.path.join(self.scratch, "bin") + ":" + env["PATH"]
        env["GITHUB_OUTPUT"] = os.path.join(self.scratch, "output")
        return subprocess.run([os.path.join(CI, script), *args], env=env, text=True,
                              capture_output=True, check=False, stdin=subprocess.DEVNULL)


class Environment(Case):
    def test_branches(self):
        for branch, expected in (("main", "prod"), ("stage", "stage"), ("develop", "development"),
                                 ("main-fix", "development"), ("feature/prod", "development")):
            done = self.run_script("environment.sh", branch)
            self.assertEqual((done.returncode, done.stdout), (0, expected + "\n"), branch)
            self.assertTrue(self.notes("output").endswith(f"environment={expected}\n"))

    def test_no_branch_is_refused(self):
        self.assertEqual(self.run_script("environment.sh").returncode, 100)


class Check(Case):
    def test_every_variant_has_a_command(self):
        for variant in ("gcc", "clang", "asan", "arm64", "fuzz"):
            self.fake("make", 'echo "$@"')
            done = self.run_script("check.sh", variant)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn("deps", done.stdout)

    def test_others_are_refused(self):
        done = self.run_script("check.sh", "vax")
        self.assertEqual(done.returncode, 100)
        self.assertIn("gcc, clang, asan, arm64 and fuzz", done.stderr)


class Refuse(Case):
    """refuse.py, given plans."""

    def refuse(self, plan):
        return subprocess.run([os.path.join(CI, "refuse.py")], input=json.dumps(plan), text=True,
                              capture_output=True, check=False, env=self.env)

    @staticmethod
    def change(kind, *actions):
        return {"address": f"{kind}.this", "type": kind, "mode": "managed",
                "change": {"actions": list(actions)}}

    @staticmethod
    def check(status):
        return {"instances": [{"address": {"to_display": "check.not_in_prod"}, "status": status,
                               "problems": [{"message": "never"}] if status == "fail" else []}]}

    def test_what_passes(self):
        for checks in ([], [self.check("pass")], [self.check("unknown")]):
            done = self.refuse({"checks": checks, "resource_changes": [
                self.change("aws_ecs_service", "delete"), self.change("aws_ecr_repository", "no-op")]})
            self.assertEqual((done.returncode, done.stdout), (0, "1 resources change\n"))

    def test_a_failed_check(self):
        for status in ("fail", "error"):
            done = self.refuse({"checks": [self.check(status)]})
            self.assertEqual(done.returncode, 1)
            self.assertIn("refused: check.not_in_prod", done.stderr)

    def test_a_lost_repository(self):
        for actions in (["delete"], ["delete", "create"]):
            done = self.refuse({"resource_changes": [self.change("aws_ecr_repository", *actions)]})
            self.assertEqual(done.returncode, 1)
            self.assertIn("aws_ecr_repository.this would be destroyed", done.stderr)


class Findings(Case):
    """scan-findings.sh; moto scans nothing, so aws is played here."""

    def scan(self, status, findings=""):
        # The CLI asks --query of every page by itself: of two, unless it is told to read one.
        self.fake("aws", f'case "$*" in *--no-paginate*imageScanStatus*) echo {status} ;; '
                         f'*imageScanStatus*) echo {status}; echo {status} ;; '
                         f'*) printf "{findings}" ;; esac')
        return self.run_script("scan-findings.sh", "sha-89abcdef", WAIT="0", PAUSE="1")

    def test_findings_are_warnings(self):
        done = self.scan("COMPLETE", "CRITICAL\\tCVE-1\\thttp://x\\nLOW\\tCVE-2\\thttp://y\\n")
        self.assertEqual(done.returncode, 0)
        self.assertEqual(done.stdout.count("::warning"), 1)
        self.assertIn("CRITICAL CVE-1", done.stdout)

    def test_a_scan_that_does_not_end_or_fails_is_a_warning(self):
        for status in ("IN_PROGRESS", "FAILED"):
            done = self.scan(status)
            self.assertEqual((done.returncode, done.stdout.count("::warning")), (0, 1), status)


class CloudMap(Case):
    """cloud-map.sh of the sinkhole module, where moto does not go: with an AWS that is played."""

    ANSWERS = """
    echo "$*" >>"{notes}"
    case "$*" in
        *describe-services*status\ --output*) echo ACTIVE ;;
        *describe-services*runningCount*) echo {running} ;;
        *list-instances*) [ -e "{gone}" ] && echo None || printf 'alive\torphan\n' ;;
        *list-tasks*) echo arn:aws:ecs:us-east-1:123456789012:task/cabal-mail/alive ;;
        *deregister-instance*) touch "{gone}" ;;
    esac"""

    def call(self, *command, running=0, **variables):
        files = {name: os.path.join(self.scratch, name) for name in ("notes", "gone")}
        self.fake("aws", self.ANSWERS.format(running=running, **files))
        variables = {"CLUSTER": "cabal-mail", "SERVICE": "cabal-sinkhole", "REGISTRY": "srv-1",
                     "DESIRED": "1", "WAIT": "0", "ORPHAN_WAIT": "0"} | variables
        return self.run_script("../modules/sinkhole/cloud-map.sh", *command, **variables)

    def test_restore_removes_orphans_only(self):
        done = self.call("restore")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("--instance-id orphan", self.notes("notes"))
        self.assertNotIn("--instance-id alive", self.notes("notes"))
        self.assertIn("--desired-count 1", self.notes("notes"))

    def test_drain_stops_the_tasks_before_it_removes_instances(self):
        done = self.call("drain")
        self.assertEqual(done.returncode, 0, done.stderr)
        notes = self.notes("notes")
        self.assertLess(notes.index("--desired-count 0"), notes.index("deregister-instance"))

    def test_drain_fails_while_tasks_run(self):
        done = self.call("drain", running=1)
        self.assertEqual(done.returncode, 1)
        self.assertIn("still there after 0s: running tasks", done.stderr)
        self.assertNotIn("deregister-instance", self.notes("notes"))

    def test_an_aws_that_fails_is_a_failure(self):
        for command in ("drain", "restore"):
            self.fake("aws", "exit 255")
            done = self.run_script("../modules/sinkhole/cloud-map.sh", command, CLUSTER="c",
                                   SERVICE="s", REGISTRY="r", DESIRED="1")
            self.assertEqual(done.returncode, 255, command)

    def test_other_words_are_refused(self):
        self.assertEqual(self.call("flush").returncode, 100)
        self.assertEqual(self.call("drain", CLUSTER="").returncode, 2)


class OnAws(Case):
    """Scripts that talk to AWS."""

    @classmethod
    def setUpClass(cls):
        why = cloud.missing()
        if why:
            raise unittest.SkipTest(why)
        cls.moto = cls.enterClassContext(cloud.Moto())
        cls.ecr, cls.ssm = cls.moto.client("ecr"), cls.moto.client("ssm")
        made = cls.ecr.create_repository(repositoryName="cabal-sinkhole")["repository"]
        cls.repository = made["repositoryUri"]

    def setUp(self):
        super().setUp()
        self.env = self.moto.environ()
        self.fake("docker", f'echo "$@" >>{self.scratch}/docker; cat >/dev/null')

    def test_1_nothing_is_deployed_at_first(self):
        done = self.run_script("deployed-image.sh")
        self.assertEqual((done.returncode, done.stdout), (0, ""), done.stderr)

    def test_2_publish_builds_with_provenance_and_notes_the_tag(self):
        done = self.run_script("publish-image.sh", COMMIT)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout, f"{self.repository}:sha-89abcdef\n")
        for expected in ("--provenance mode=max", "--platform linux/arm64", "--push",
                         f"--tag {self.repository}:sha-89abcdef", f"REVISION={COMMIT}"):
            self.assertIn(expected, self.notes("docker"))
        self.assertRegex(self.notes("docker"), r"VERSION=\d+\.\d+\.\d+ ")
        self.assertRegex(self.notes("docker"), r"CREATED=\d{4}-\d\d-\d\dT[\d:]{8}Z ")
        noted = self.ssm.get_parameter(Name="/cabal/deployed_image_tag/sinkhole")
        self.assertEqual(noted["Parameter"]["Value"], "sha-89abcdef")
        self.assertIn("tag=sha-89abcdef\n", self.notes("output"))

    def test_3_what_was_pushed_is_not_built_again(self):
        for number in range(120):  # more than one page of a list
            self.ecr.put_image(repositoryName="cabal-sinkhole", imageTag=f"sha-{number:08x}",
                               imageManifest=MANIFEST.replace("0" * 64, f"{number:064x}"))
        done = self.run_script("publish-image.sh", COMMIT)
        self.assertIn("build", self.notes("docker"), done.stderr)
        os.unlink(os.path.join(self.scratch, "docker"))
        self.ecr.put_image(repositoryName="cabal-sinkhole", imageTag="sha-89abcdef",
                           imageManifest=MANIFEST)
        done = self.run_script("publish-image.sh", COMMIT)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertNotIn("build", self.notes("docker"))

    def test_4_the_deployed_image_has_a_digest(self):
        done = self.run_script("deployed-image.sh")
        self.assertRegex(done.stdout, rf"^{self.repository}@sha256:[0-9a-f]{{64}}\n$")
        self.run_script("pull.sh", done.stdout.strip())
        self.assertIn(f"pull --platform linux/arm64 {self.repository}@sha256:", self.notes("docker"))

    def test_5_no_commit_is_refused(self):
        for wrong in ("", "89abcde", "../../etc", "HEAD"):
            self.assertEqual(self.run_script("publish-image.sh", wrong).returncode, 100, wrong)

    def test_6_deploying_waits_for_a_service(self):
        done = self.run_script("deploy-service.sh", f"{self.repository}:latest")
        self.assertEqual(done.returncode, 100)
        self.moto.client("ecs").create_cluster(clusterName="cabal-mail")
        done = self.run_script("deploy-service.sh", f"{self.repository}:sha-89abcdef")
        self.assertEqual(done.returncode, 0)
        self.assertIn("there is no service", done.stderr)


class Terraform(unittest.TestCase):
    """terraform.sh plan and apply, on a cluster that is tagged as prod and then is not."""

    @classmethod
    def setUpClass(cls):
        why = cloud.missing()
        if why:
            raise unittest.SkipTest(why)
        try:
            cls.tf = terraform.Workspace()
        except terraform.Unavailable as unavailable:
            raise unittest.SkipTest(str(unavailable)) from None
        cls.addClassCleanup(cls.tf.close)
        cls.moto = cls.enterClassContext(cloud.Moto())
        variables = foundation.build(cls.moto, tag="production") | {"smtp_out": None}
        cls.tf.write_json("foundation.auto.tfvars.json", variables)

    def script(self, step, **variables):
        env = self.tf.env | self.moto.environ() | {
            "TF_CLI_CONFIG_FILE": self.tf.env["TF_CLI_CONFIG_FILE"],
            "TF_VAR_environment": "stage", "TF_VAR_sinkhole": "true", "CI": ""} | variables
        return subprocess.run([os.path.join(self.tf.path, "ci/terraform.sh"), step], env=env,
                              text=True, capture_output=True, check=False,
                              stdin=subprocess.DEVNULL)

    def test_1_a_failed_check_is_a_refusal(self):
        done = self.script("plan")
        self.assertEqual(done.returncode, 1)
        self.assertIn("refused: module.sinkhole[0].check.not_in_prod", done.stderr)
        self.assertIn("must never run in prod", done.stderr)

    def test_2_plan_and_apply_elsewhere(self):
        ecs = self.moto.client("ecs")
        arn = ecs.describe_clusters(clusters=["cabal-mail"])["clusters"][0]["clusterArn"]
        ecs.tag_resource(resourceArn=arn, tags=[{"key": "Environment", "value": "stage"}])
        done = self.script("plan")
        self.assertEqual(done.returncode, 0, done.stderr)
        done = self.script("apply")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(ecs.describe_services(cluster="cabal-mail", services=["cabal-sinkhole"])
                         ["services"][0]["desiredCount"], 1)

    def test_3_a_state_that_ci_forgets_is_refused(self):
        done = self.script("plan", CI="true")
        self.assertEqual(done.returncode, 100)
        self.assertIn("TF_STATE_BUCKET", done.stderr)

    def test_4_other_steps_are_refused(self):
        self.assertEqual(self.script("destroy").returncode, 100)


if __name__ == "__main__":
    tap.main()
