#!/bin/sh
# terraform.sh: the steps of infra.yml, which also run by hand
#
# usage: terraform.sh check     fmt, validate and test; needs no account
#        terraform.sh plan      plan into plan.bin; refuses what must not be
#        terraform.sh apply     apply exactly plan.bin
#
# Inputs are Terraform's own TF_VAR_... variables. The state lives in
# TF_STATE_BUCKET under sinkhole/$TF_VAR_environment.tfstate; by hand, without a
# bucket, it is a local file.
set -eu

cd "$(dirname "$0")/.."
export TF_IN_AUTOMATION=1 TF_INPUT=0

say() {
    echo "terraform.sh: $*" >&2
}

check() {
    terraform fmt -check -diff -recursive
    terraform init -backend=false
    terraform validate
    terraform test
}

init() {
    : "${TF_VAR_environment:?set it to the name of the deployment}"
    if [ -n "${TF_STATE_BUCKET:-}" ]; then
        printf 'terraform {\n  backend "s3" {}\n}\n' >backend_override.tf
        terraform init -reconfigure -backend-config="bucket=$TF_STATE_BUCKET" \
            -backend-config="key=sinkhole/$TF_VAR_environment.tfstate" \
            -backend-config=encrypt=true -backend-config=use_lockfile=true
    elif [ -n "${CI:-}" ]; then
        say "TF_STATE_BUCKET is not set: a state that CI forgets is none"
        exit 100
    else
        terraform init
    fi
}

# A failed check is only a warning to Terraform, and prevent_destroy can be
# edited away together with what it protects.
plan() {
    init
    terraform plan -out=plan.bin
    terraform show -json plan.bin | python3 ci/refuse.py
}

apply() {
    [ -f plan.bin ] || {
        say "there is no plan.bin; plan first"
        exit 100
    }
    init
    terraform apply plan.bin
}

case ${1-} in
    check | plan | apply) "$1" ;;
    *)
        say "'${1-}' is no step; check, plan and apply are"
        exit 100
        ;;
esac
