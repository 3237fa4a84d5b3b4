#!/bin/sh
# environment.sh: which deployment a branch belongs to
#
# usage: environment.sh BRANCH
#
# Prints prod, stage or development. Under GitHub Actions also as an output.
set -eu

case ${1-} in
    '')
        echo "environment: give a branch" >&2
        exit 100
        ;;
    main) environment=prod ;;
    stage) environment=stage ;;
    *) environment=development ;;
esac
echo "$environment"
[ -z "${GITHUB_OUTPUT:-}" ] || echo "environment=$environment" >>"$GITHUB_OUTPUT"
