#!/bin/sh
# deploy-service.sh: makes the sinkhole's service run an image
#
# usage: deploy-service.sh IMAGE
#
# Registers the newest revision of the task definition again with IMAGE in
# place of its image, and moves the service there. Everything else of the
# definition is Terraform's and stays. Where there is no service yet, there is
# nothing to do. WAIT=1 waits until the service is stable.
set -eu

cluster=cabal-mail family=cabal-sinkhole container=sinkhole
export AWS_PAGER=

image=${1-}
case $image in
    */"$family":sha-* | */"$family"@sha256:*) ;;
    *)
        echo "deploy-service: '$image' is no image of $family by tag sha-... or digest" >&2
        exit 100
        ;;
esac

status=$(aws ecs describe-services --cluster "$cluster" --services "$family" \
    --query "services[?status=='ACTIVE'] | [0].status" --output text)
if [ "$status" != ACTIVE ]; then
    echo "deploy-service: there is no service $family; Terraform makes it with this image" >&2
    exit 0
fi

# What describe-task-definition tells and register-task-definition refuses.
definition=$(aws ecs describe-task-definition --task-definition "$family" \
    --include TAGS --output json |
    IMAGE=$image CONTAINER=$container python3 -c '
import json, os, sys
found = json.load(sys.stdin)
task = found["taskDefinition"]
if found.get("tags"):
    task["tags"] = found["tags"]
for told in ("taskDefinitionArn", "revision", "status", "requiresAttributes", "compatibilities",
             "registeredAt", "registeredBy", "deregisteredAt"):
    task.pop(told, None)
ours = [c for c in task["containerDefinitions"] if c["name"] == os.environ["CONTAINER"]]
if len(ours) != 1:
    sys.exit("deploy-service: the task definition has no container " + os.environ["CONTAINER"])
ours[0]["image"] = os.environ["IMAGE"]
print(json.dumps(task))')

revision=$(aws ecs register-task-definition --cli-input-json "$definition" \
    --query taskDefinition.taskDefinitionArn --output text)
aws ecs update-service --cluster "$cluster" --service "$family" \
    --task-definition "$revision" >/dev/null
echo "deploy-service: $family runs $revision" >&2

if [ "${WAIT:-0}" = 1 ]; then
    aws ecs wait services-stable --cluster "$cluster" --services "$family"
    now=$(aws ecs describe-services --cluster "$cluster" --services "$family" \
        --query 'services[0].taskDefinition' --output text)
    if [ "$now" != "$revision" ]; then
        echo "deploy-service: the circuit breaker went back to $now" >&2
        exit 1
    fi
fi
