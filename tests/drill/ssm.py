"""The mode's parameter in the lab's SSM: what is needed for it, and who makes it."""

import shutil
import unittest

import cloud
import terraform

PARAMETER = "/cabal/sinkhole_mode"
# Only the parameter is made; the rest of the stack is not looked at.
PLACES = ("-var=environment=stage", "-var=sinkhole=true", "-var=vpc_id=vpc-0",
          "-var=cidr_block=10.9.0.0/16", '-var=private_subnets=["subnet-0"]',
          "-var=namespace_id=ns-0")


def need():
    """Skips the test where there is no SSM to be had."""
    reason = cloud.missing()
    if not reason and not shutil.which("aws"):
        reason = "the AWS CLI is not installed (pip install awscli)"
    if reason:
        raise unittest.SkipTest(reason)


def make_by_terraform(env):
    """Applies the parameter of infra/; False where Terraform cannot be had."""
    try:
        with terraform.Workspace() as workspace:
            workspace.run("apply", "-auto-approve", *PLACES,
                          "-target=module.sinkhole[0].aws_ssm_parameter.mode", **env)
    except terraform.Unavailable:
        return False
    return True
