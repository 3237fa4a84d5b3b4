#!/bin/sh
# publish-image.sh: builds the image, pushes it and notes it as deployed
#
# usage: publish-image.sh COMMIT
#
# Prints REPOSITORY:sha-<first 8 digits of COMMIT>. Tags are immutable, so a
# commit that was pushed before is not built again. PLATFORM is linux/arm64
# unless it is set.
set -eu

name=cabal-sinkhole parameter=/cabal/deployed_image_tag/sinkhole
export AWS_PAGER=

case ${1-} in
    *[!0-9a-f]* | '' | ? | ?? | ??? | ???? | ????? | ?????? | ???????)
        echo "publish-image: '${1-}' is no commit (8 or more hex digits)" >&2
        exit 100
        ;;
esac
tag=sha-$(printf '%.8s' "$1")
cd "$(dirname "$0")/../.."

repository=$(aws ecr describe-repositories --repository-names "$name" \
    --query 'repositories[0].repositoryUri' --output text)
image=$repository:$tag

# Not list-images: it answers in pages, and the CLI counts on each page by itself.
pushed=$(aws ecr batch-get-image --repository-name "$name" --image-ids "imageTag=$tag" \
    --query 'length(images)' --output text)
if [ "$pushed" = 0 ]; then
    aws ecr get-login-password | docker login --username AWS --password-stdin \
        "${repository%%/*}" >&2
    docker buildx build --platform "${PLATFORM:-linux/arm64}" --provenance mode=max --sbom true \
        --build-arg "REVISION=$1" --build-arg "CREATED=$(date -u +%Y-%m-%dT%H:%M:%SZ)" \
        --build-arg "VERSION=$(sed -n 's/^AC_INIT.*\[\([0-9.]*\)\].*/\1/p' configure.ac)" \
        --file container/Containerfile \
        --tag "$image" --push . >&2
else
    echo "publish-image: $image was pushed before" >&2
fi

aws ssm put-parameter --name "$parameter" --type String --value "$tag" --overwrite >/dev/null
echo "$image"
[ -z "${GITHUB_OUTPUT:-}" ] || printf 'image=%s\ntag=%s\n' "$image" "$tag" >>"$GITHUB_OUTPUT"
