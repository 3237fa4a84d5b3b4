#!/bin/sh
# scan-findings.sh: shows what ECR's scan of an image found, as warnings
#
# usage: scan-findings.sh TAG
#
# Findings never fail a deployment: the nightly scan and its alerts are where
# they are worked on. A scan that does not end is a warning too. WAIT is the
# longest wait in seconds (300), PAUSE the time between two looks (10).
set -eu

name=cabal-sinkhole
: "${1:?usage: scan-findings.sh TAG}" "${WAIT:=300}" "${PAUSE:=10}"
export AWS_PAGER=

warn() {
    echo "::warning title=ECR scan of $name::$*"
}

waited=0
while :; do
    # Before the scan begins ECR knows nothing of it. One page: each says the status again.
    status=$(aws ecr describe-image-scan-findings --no-paginate --repository-name "$name" \
        --image-id "imageTag=$1" --query imageScanStatus.status --output text 2>/dev/null) ||
        status=UNKNOWN
    case $status in
        COMPLETE | ACTIVE) break ;;
        FAILED)
            warn "the scan of $1 failed"
            exit 0
            ;;
    esac
    if [ "$waited" -ge "$WAIT" ]; then
        warn "no result for $1 after ${WAIT}s (status $status)"
        exit 0
    fi
    sleep "$PAUSE"
    waited=$((waited + PAUSE))
done

aws ecr describe-image-scan-findings --repository-name "$name" --image-id "imageTag=$1" \
    --query 'imageScanFindings.findings[].[severity,name,uri]' --output text |
    while read -r severity finding uri; do
        case $severity in
            CRITICAL | HIGH) warn "$severity $finding $uri" ;;
        esac
    done
