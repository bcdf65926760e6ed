#!/bin/sh
# Builds the last commit's image twice, in different folders and at different times, and compares.
set -eu
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
for name in one another; do
    mkdir "$work/$name"
    # A clone, as image.sh asks git for commit and time.
    git clone --quiet --no-hardlinks . "$work/$name/source"
    (
        cd "$work/$name/source"
        CARGO_TARGET_DIR=$work/$name/target tools/image.sh "asa-operator:$name" "$work/$name.tar"
    )
    # The name is no part of the image.
    mkdir "$work/$name/image"
    tar -xf "$work/$name.tar" -C "$work/$name/image"
    (cd "$work/$name/image" && find . -type f ! -name manifest.json ! -name repositories -exec sha256sum {} + | sort -k 2) \
        >"$work/$name.sums"
done
if ! diff "$work/one.sums" "$work/another.sums"; then
    echo 'the two images differ' >&2
    exit 1
fi
echo 'the two images are the same:'
cat "$work/one.sums"
