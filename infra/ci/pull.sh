#!/bin/sh
# pull.sh: pulls an image from ECR
#
# usage: pull.sh REGISTRY/REPOSITORY@sha256:...
set -eu

: "${1:?usage: pull.sh IMAGE}"
aws ecr get-login-password | docker login --username AWS --password-stdin "${1%%/*}" >&2
docker pull --platform "${PLATFORM:-linux/arm64}" "$1"
