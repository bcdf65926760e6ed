#!/bin/sh
# Builds the image with docker, podman or buildah, whichever is there and works.
#
#   tools/image.sh NAME:TAG [ARCHIVE]       ARCHIVE: a file to save it in too, as `docker save` does
#
# Where the Dockerfile's base cannot be pulled, the Rust of this machine builds what is in the image, by the same script.
# IMAGE_BUILDER names one of the three; IMAGE_PROGRAMS a folder in which that script has
# made the folder `programs`, to be taken as it is.
set -eu
cd "$(dirname "$0")/.."
tag=$1 archive=${2:-}

works() {
    case $1 in
        # A client without a daemon is no docker.
        docker) docker info >/dev/null 2>&1 && docker buildx version >/dev/null 2>&1 ;;
        podman) podman info >/dev/null 2>&1 ;;
        buildah) buildah info >/dev/null 2>&1 ;;
        *) false ;;
    esac
}

builder=''
for candidate in ${IMAGE_BUILDER:-docker podman buildah}; do
    if works "$candidate"; then
        builder=$candidate
        break
    fi
done
if [ -z "$builder" ]; then
    echo "none of these works here: ${IMAGE_BUILDER:-docker podman buildah} (Debian and Ubuntu: apt-get install buildah)" >&2
    exit 1
fi

epoch=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
revision=$(git rev-parse HEAD)
[ -z "$(git status --porcelain --untracked-files=no)" ] || revision="$revision-modified"
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
base=$(sed -n 's/^FROM \(.*\) AS build$/\1/p' Dockerfile)

can_pull() {
    case $builder in
        docker | podman) "$builder" pull --quiet "$base" >/dev/null 2>&1 ;;
        buildah) buildah pull --quiet "$base" >/dev/null 2>&1 ;;
    esac
}

programs=${IMAGE_PROGRAMS:-}
if [ -z "$programs" ] && ! can_pull; then
    echo "$base cannot be pulled: the Rust of this machine is used" >&2
    programs=${CARGO_TARGET_DIR:-target}/image
    SOURCE_DATE_EPOCH=$epoch tools/image-programs.sh "$programs/programs"
fi

# The program to run with its subcommand, then what differs, then what all three take.
build() {
    "$@" --file Dockerfile --tag "$tag" ${programs:+--build-context "build=$programs"} \
        --build-arg "SOURCE_DATE_EPOCH=$epoch" --build-arg "VERSION=$version" --build-arg "REVISION=$revision" \
        --build-arg "CREATED=$(date --utc --date "@$epoch" +%Y-%m-%dT%H:%M:%SZ)" . >&2
}

# Docker's own format would name the host and the container of the build.
case $builder in
    docker)
        # The attestation of provenance would tell the time.
        build docker buildx build --load --provenance=false
        [ -z "$archive" ] || docker save --output "$archive" "$tag"
        ;;
    podman)
        build podman build --format oci --timestamp "$epoch"
        [ -z "$archive" ] || podman save --quiet --format docker-archive --output "$archive" "$tag"
        ;;
    buildah)
        # In a container that may make no namespaces, chroot is what works.
        build buildah bud --quiet --isolation chroot --format oci --timestamp "$epoch" --identity-label=false
        [ -z "$archive" ] || { rm -f "$archive" && buildah push --quiet "$tag" "docker-archive:$archive:$tag"; }
        ;;
esac
echo "built $tag with $builder" >&2
