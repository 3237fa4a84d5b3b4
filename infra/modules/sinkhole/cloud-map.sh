#!/bin/sh
# cloud-map.sh: keeps Cloud Map and the ECS service in step
#
# usage: cloud-map.sh drain      stop every task, wait, remove what is left
#        cloud-map.sh restore    remove orphans, then want DESIRED tasks again
#
# Environment: CLUSTER SERVICE REGISTRY DESIRED, and AWS's own. WAIT is the
# longest wait in seconds (180).
set -eu

: "${CLUSTER:?}" "${SERVICE:?}" "${REGISTRY:?}" "${DESIRED:?}" "${WAIT:=180}"
export AWS_PAGER=

say() {
    echo "cloud-map: $*" >&2
}

service_field() {
    aws ecs describe-services --cluster "$CLUSTER" --services "$SERVICE" \
        --query "services[?status=='ACTIVE'] | [0].$1" --output text
}

# words TEXT: the CLI's text output as words; it prints None for nothing.
words() {
    echo "$1" | tr '\t\n' '  ' | sed 's/None//g;s/^ *//;s/ *$//'
}

instances() {
    found=$(aws servicediscovery list-instances --service-id "$REGISTRY" \
        --query 'Instances[].Id' --output text)
    words "$found"
}

# An instance's id is the id of its task, the last part of the task's ARN.
running_tasks() {
    found=$(aws ecs list-tasks --cluster "$CLUSTER" --service-name "$SERVICE" \
        --query 'taskArns[]' --output text)
    words "$found" | sed 's|[^ ]*/||g'
}

deregister() {
    for id in $1; do
        say "removing the orphan $id"
        aws servicediscovery deregister-instance --service-id "$REGISTRY" \
            --instance-id "$id" >/dev/null
    done
}

want() {
    say "$SERVICE: wanting $1"
    aws ecs update-service --cluster "$CLUSTER" --service "$SERVICE" \
        --desired-count "$1" >/dev/null
}

# until_quiet WHAT COMMAND...: waits until the command prints nothing or 0.
until_quiet() {
    what=$1 left=$WAIT
    shift
    while :; do
        found=$("$@") || return 1
        case $found in '' | 0 | None) return 0 ;; esac
        [ "$left" -gt 0 ] || break
        sleep 2
        left=$((left - 2))
    done
    say "still there after ${WAIT}s: $what"
    return 1
}

# Deleting a Cloud Map service takes a moment after its last instance went.
drain() {
    status=$(service_field status)
    if [ "$status" = ACTIVE ]; then
        want 0
        until_quiet "running tasks" service_field runningCount
    fi
    left=$(instances)
    [ -z "$left" ] || WAIT=${ORPHAN_WAIT:-30} until_quiet "instances" instances || true
    left=$(instances)
    deregister "$left"
    until_quiet "instances" instances
}

restore() {
    known=$(instances)
    alive=$(running_tasks)
    for id in $known; do
        case " $alive " in
            *" $id "*) ;;
            *) deregister "$id" ;;
        esac
    done
    want "$DESIRED"
}

case ${1-} in
    drain) drain ;;
    restore) restore ;;
    *)
        say "'${1-}' is no command; drain and restore are"
        exit 100
        ;;
esac
