#!/bin/sh
# deployed-image.sh: the image that is deployed, by digest
#
# usage: deployed-image.sh
#
# Prints REPOSITORY@sha256:...; nothing where no image was ever deployed.
set -eu

name=cabal-sinkhole parameter=/cabal/deployed_image_tag/sinkhole
export AWS_PAGER=

output() {
    echo "$1"
    [ -z "${GITHUB_OUTPUT:-}" ] || echo "image=$1" >>"$GITHUB_OUTPUT"
}

# get-parameters, not get-parameter: a missing one is an answer, not an error.
deployed=$(aws ssm get-parameters --names "$parameter" \
    --query 'Parameters[0].Value' --output text)
repository=$(aws ecr describe-repositories --repository-names "$name" \
    --query 'repositories[0].repositoryUri' --output text)
case $deployed in
    None) echo "deployed-image: $parameter does not exist: nothing is deployed" >&2 ;;
    sha256:*) output "$repository@$deployed" ;;
    *)
        digest=$(aws ecr describe-images --repository-name "$name" \
            --image-ids "imageTag=$deployed" --query 'imageDetails[0].imageDigest' --output text)
        output "$repository@$digest"
        ;;
esac
