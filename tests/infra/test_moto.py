#!/usr/bin/env python3
"""The stack applied to moto: one life of the tier, in the order of the test names.

What moto cannot show, and is therefore not shown here: it stores allowed_pattern but accepts
any value; it forgets the attributes in FORGOTTEN, capacity providers and the deployment
configuration; it starts no task, so Cloud Map instances are registered by the test itself; and
it checks neither policies nor container definitions as AWS does.
"""

import os
import re
import shlex
import subprocess
import sys
import unittest

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "tests/lib"))

import cloud  # noqa: E402
import foundation  # noqa: E402
import tap  # noqa: E402
import terraform  # noqa: E402

SERVICE = "cabal-sinkhole"
MODE = "/cabal/sinkhole_mode"
DEPLOYED_TAG = "sha-89abcdef"
ON = ("-var=environment=stage", "-var=sinkhole=true")
OFF = ("-var=environment=stage",)
FORGOTTEN = {"availability_zone_rebalancing", "enable_execute_command"}


def drift(plan):
    """The changes of a plan, without updates of nothing but what moto forgets."""
    found = terraform.changes(plan)
    for change in plan["resource_changes"]:
        before, after = change["change"]["before"] or {}, change["change"]["after"] or {}
        differing = {name for name in after if before.get(name) != after[name]}
        if found.get(change["address"]) == "update" and differing <= FORGOTTEN:
            del found[change["address"]]
    return found


class Life(unittest.TestCase):
    """Each test is a step and leaves its state to the next."""

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
        cls.aws = cls.enterClassContext(cloud.Moto())
        cls.tf.env |= {name: value for name, value in cls.aws.environ().items()
                       if name.startswith("AWS_")}
        # No task will ever deregister itself here.
        cls.tf.env["ORPHAN_WAIT"] = "0"
        cls.tf.write_json("foundation.auto.tfvars.json", foundation.build(cls.aws))
        for service in ("ecs", "ecr", "ssm", "iam", "ec2", "servicediscovery", "logs", "cloudwatch"):
            setattr(cls, service, cls.aws.client(service))

    # -- what the steps look at -------------------------------------------------------------

    def apply(self, *variables):
        self.tf.run("apply", "-auto-approve", *variables)

    def service(self, name=SERVICE):
        found = self.ecs.describe_services(cluster="cabal-mail", services=[name])["services"]
        return next((one for one in found if one["status"] == "ACTIVE"), None)

    def container(self, name=SERVICE):
        arn = self.service(name)["taskDefinition"]
        task = self.ecs.describe_task_definition(taskDefinition=arn)["taskDefinition"]
        return task["containerDefinitions"][0]

    def environment(self, name=SERVICE):
        return {one["name"]: one["value"] for one in self.container(name)["environment"]}

    def mode(self):
        return self.ssm.get_parameter(Name=MODE)["Parameter"]["Value"]

    def registry(self):
        found = [one for one in self.servicediscovery.list_services()["Services"]
                 if one["Name"] == "sinkhole"]
        return found[0]["Id"] if found else None

    def repositories(self):
        return [one["repositoryName"] for one in self.ecr.describe_repositories()["repositories"]]

    def register_orphan(self, name):
        """What a task leaves behind whose host died."""
        self.servicediscovery.register_instance(ServiceId=self.registry(), InstanceId=name,
                                                Attributes={"AWS_INSTANCE_IPV4": "10.9.1.9"})

    def instances(self):
        found = self.servicediscovery.list_instances(ServiceId=self.registry())["Instances"]
        return [one["Id"] for one in found]

    # -- the steps --------------------------------------------------------------------------

    def test_01_prod_with_the_flag_is_refused_and_nothing_is_touched(self):
        done = self.tf.run("apply", "-auto-approve", "-var=environment=production",
                           "-var=sinkhole=true", check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("sinkhole can be true only where", done.stderr)
        self.assertEqual(self.repositories(), [])
        self.assertIsNone(self.service())

    def test_02_apply_makes_the_tier(self):
        self.apply(*ON)
        service = self.service()
        self.assertEqual(service["desiredCount"], 1)
        self.assertEqual(self.mode(), "defer")
        self.assertEqual(self.repositories(), [SERVICE])
        self.assertTrue(service["serviceRegistries"][0]["registryArn"].endswith(self.registry()))

    def test_03_ecs_got_the_posture(self):
        container = self.container()
        self.assertEqual(container["user"], "10025:10025")
        self.assertTrue(container["readonlyRootFilesystem"])
        self.assertEqual(container["dockerSecurityOptions"], ["no-new-privileges"])
        self.assertEqual(container["linuxParameters"]["capabilities"], {"add": [], "drop": ["ALL"]})
        self.assertEqual((container["memory"], container["memoryReservation"]), (128, 64))
        self.assertEqual(container["healthCheck"]["command"],
                         ["CMD", "/usr/bin/sinkholectl", "check"])
        self.assertTrue(container["image"].endswith(f"/{SERVICE}:{foundation.IMAGE_TAG}"))
        self.assertEqual(self.environment()["SINKHOLE_ENVIRONMENT"], "stage")

    def test_04_the_role_may_read_one_parameter(self):
        role = "cabal-ecs-sinkhole-task-role"
        self.assertEqual(self.iam.list_role_policies(RoleName=role)["PolicyNames"],
                         ["cabal-ecs-sinkhole-task-access"])
        self.assertEqual(self.iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"], [])
        policy = self.iam.get_role_policy(RoleName=role, PolicyName="cabal-ecs-sinkhole-task-access")
        self.assertEqual(policy["PolicyDocument"]["Statement"], [{
            "Effect": "Allow", "Action": "ssm:GetParameter",
            "Resource": f"arn:aws:ssm:{cloud.REGION}:{cloud.ACCOUNT}:parameter{MODE}"}])

    def test_05_the_network_is_25_in_and_443_out(self):
        groups = self.ec2.describe_security_groups(
            Filters=[{"Name": "group-name", "Values": ["cabal-ecs-sinkhole-sg"]}])["SecurityGroups"]

        def rules(side):
            return [(one["FromPort"], one["ToPort"], [r["CidrIp"] for r in one["IpRanges"]])
                    for one in groups[0][side]]
        self.assertEqual(rules("IpPermissions"), [(25, 25, ["10.9.0.0/16"])])
        self.assertEqual(rules("IpPermissionsEgress"), [(443, 443, ["0.0.0.0/0"])])

    def test_06_smtp_out_routes_and_keeps_its_queue(self):
        self.assertEqual(self.environment("cabal-smtp-out").get("SINKHOLE_ENABLED"), "true")
        arn = self.service("cabal-smtp-out")["taskDefinition"]
        task = self.ecs.describe_task_definition(taskDefinition=arn)["taskDefinition"]
        volume = task["volumes"][0]["efsVolumeConfiguration"]
        self.assertEqual(volume["transitEncryption"], "ENABLED")
        point = self.aws.client("efs").describe_access_points(
            AccessPointId=volume["authorizationConfig"]["accessPointId"])["AccessPoints"][0]
        self.assertEqual(point["RootDirectory"], {"Path": "/smtp-queue", "CreationInfo": {
            "OwnerUid": 0, "OwnerGid": 12, "Permissions": "0700"}})

    def test_07_an_operator_flips_and_a_deployment_comes(self):
        self.aws.aws("ssm", "put-parameter", "--name", MODE, "--value", "accept", "--overwrite")
        script = os.path.join(TOP, "infra/ci/deploy-service.sh")
        image = self.container()["image"].replace(foundation.IMAGE_TAG, DEPLOYED_TAG)
        done = subprocess.run([script, image], env=self.aws.environ(), text=True,
                              capture_output=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_08_the_next_plan_leaves_both_alone(self):
        self.assertEqual(drift(self.tf.plan(*ON)), {})
        self.assertEqual(self.mode(), "accept")
        self.assertTrue(self.container()["image"].endswith(f":{DEPLOYED_TAG}"))

    def test_08b_the_readme_asks_what_can_be_asked(self):
        with open(os.path.join(TOP, "infra/README.md"), encoding="utf-8") as page:
            commands = re.findall(r"`aws (.*?)`", page.read())
        answers = [self.aws.aws(*shlex.split(command), "--output", "text") for command in commands]
        self.assertEqual(len(answers), 3)
        for answer, told in zip(answers, (SERVICE, foundation.IMAGE_TAG, SERVICE)):
            self.assertIn(told, answer)

    def test_09_quiesce_leaves_the_name_and_the_mode(self):
        registry = self.registry()
        self.register_orphan("orphan-1")
        # A changed setting comes along: it must reach the task in spite of ignore_changes.
        self.apply(*ON, "-var=quiesced=true", '-var=settings={"SINKHOLE_CACHE_TTL":"10"}')
        self.assertEqual(self.service()["desiredCount"], 0)
        self.assertEqual(self.registry(), registry)
        self.assertEqual(self.instances(), [])
        self.assertEqual(self.mode(), "accept")
        self.assertEqual(self.environment()["SINKHOLE_CACHE_TTL"], "10")

    def test_10_and_back(self):
        self.register_orphan("orphan-2")
        self.apply(*ON)
        self.assertEqual(self.service()["desiredCount"], 1)
        self.assertEqual(self.instances(), [])
        self.assertEqual(self.mode(), "accept")

    def test_11_flag_off_takes_the_tier_and_leaves_the_repository(self):
        self.register_orphan("orphan-3")
        self.apply(*OFF)
        self.assertIsNone(self.service())
        self.assertIsNone(self.registry())
        self.assertEqual(self.repositories(), [SERVICE])
        with self.assertRaises(self.ssm.exceptions.ParameterNotFound):
            self.mode()
        self.assertNotIn("SINKHOLE_ENABLED", self.environment("cabal-smtp-out"))

    def test_12_the_repository_cannot_be_destroyed(self):
        done = self.tf.run("destroy", "-auto-approve", *OFF, check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("prevent_destroy", done.stderr)
        self.assertEqual(self.repositories(), [SERVICE])


if __name__ == "__main__":
    tap.main()
