"""What a Cabalmail-like account has before the sinkhole comes: made in moto, by boto3."""

import json

ROLE = json.dumps({"Version": "2012-10-17", "Statement": [{
    "Effect": "Allow", "Action": "sts:AssumeRole",
    "Principal": {"Service": "ecs-tasks.amazonaws.com"}}]})
IMAGE_TAG = "sha-0123abcd"


def _network(cloud):
    ec2 = cloud.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.9.1.0/24")["Subnet"]["SubnetId"]
    group = ec2.create_security_group(VpcId=vpc, GroupName="smtp-out", Description="smtp-out")
    return vpc, subnet, group["GroupId"]


def _namespace(cloud, vpc):
    discovery = cloud.client("servicediscovery")
    discovery.create_private_dns_namespace(Name="cabal.internal", Vpc=vpc)
    return discovery.list_namespaces()["Namespaces"][0]["Id"]


def _cluster(cloud, tag):
    cloud.client("ecs").create_cluster(clusterName="cabal-mail",
                                       tags=[{"key": "Environment", "value": tag}])


def _roles(cloud):
    iam = cloud.client("iam")
    names = ("cabal-ecs-execution-role", "cabal-ecs-smtp-out-task-role")
    return [iam.create_role(RoleName=name, AssumeRolePolicyDocument=ROLE)["Role"]["Arn"]
            for name in names]


def build(cloud, *, tag="stage"):
    """Makes it all; returns the variables of the root stack."""
    vpc, subnet, group = _network(cloud)
    _cluster(cloud, tag)
    smtp_out_role = _roles(cloud)[1]
    cloud.client("ssm").put_parameter(Name="/cabal/deployed_image_tag/sinkhole",
                                      Value=IMAGE_TAG, Type="String")
    file_system = cloud.client("efs").create_file_system(CreationToken="mail", Encrypted=True)
    return {
        # moto forgets a service's capacity provider, which would be drift for ever.
        "capacity_provider": None,
        "vpc_id": vpc, "cidr_block": "10.9.0.0/16", "private_subnets": [subnet],
        "namespace_id": _namespace(cloud, vpc),
        "smtp_out": {
            "image": "example.org/cabal-smtp-out:sha-0123abcd",
            "health_check": ["/usr/bin/true"],
            "file_system_id": file_system["FileSystemId"],
            "task_role_arn": smtp_out_role,
            "security_group_ids": [group],
        },
    }
