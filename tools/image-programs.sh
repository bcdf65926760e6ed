#!/bin/sh
# Builds what the image holds, as a folder laid out like its root: the static program, the roots of TLS and a bill of materials.
#
#   SOURCE_DATE_EPOCH=SECONDS tools/image-programs.sh FOLDER
#
# The Dockerfile's first stage runs this, and so does tools/image.sh where that stage's base cannot be had. The bytes depend on
# the commit, on the Rust of rust-toolchain or PATH and on the C library, and not on the folders, the clock or the machine.
set -eu
out=$1
: "${SOURCE_DATE_EPOCH:?the seconds of the commit}"
export SOURCE_DATE_EPOCH CARGO_INCREMENTAL=0
cargo=${CARGO:-cargo}
here=$(pwd)
home=${CARGO_HOME:-$HOME/.cargo}
target=${CARGO_TARGET_DIR:-$here/target}
triple=$("${RUSTC:-rustc}" -vV | sed -n 's/^host: //p')
rust=$("${RUSTC:-rustc}" -vV | sed -n 's/^commit-hash: //p')
sysroot=$("${RUSTC:-rustc}" --print sysroot)

# Both are installed once, by version, where the next build finds them; they have little to do, so they need no optimizing. The
# place must not depend on this folder: cargo names symbols after cargo-auditable's path, as it takes the compiler's place.
auditable=0.7.7 cyclonedx=0.5.9
tools=${XDG_CACHE_HOME:-$HOME/.cache}/asa-operator/image-tools-$auditable-$cyclonedx
"$cargo" install --quiet --locked --debug --root "$tools" --target-dir "$target/image-tools" \
    "cargo-auditable@$auditable" "cargo-cyclonedx@$cyclonedx" >&2
PATH=$tools/bin:$PATH

# The C library is linked in: glibc finds names by /etc/hosts and DNS without loading anything.
RUSTFLAGS="-Ctarget-feature=+crt-static --remap-path-prefix=$sysroot/lib/rustlib/src/rust=/rustc/$rust"
RUSTFLAGS="$RUSTFLAGS --remap-path-prefix=$home=/cargo --remap-path-prefix=$target=/target --remap-path-prefix=$here=/src"
CFLAGS="-ffile-prefix-map=$home=/cargo -ffile-prefix-map=$target=/target -ffile-prefix-map=$here=/src"
export RUSTFLAGS CFLAGS
# With --target the flags are not those of build scripts and macros, which cannot be static. The linker packs the relocations,
# which saves half a megabyte.
"$cargo" auditable rustc --locked --profile image --target "$triple" --package asa-operator --bin asa-operator -- \
    -Clink-arg=-Wl,-z,pack-relative-relocs >&2

rm -rf "$out"
mkdir -p "$out/etc/ssl/certs" "$out/usr/share/asa-operator"
cp "$target/$triple/image/asa-operator" "$out/asa-operator"
cp /etc/ssl/certs/ca-certificates.crt "$out/etc/ssl/certs/"
# Without it glibc asks DNS before /etc/hosts.
echo 'hosts: files dns' >"$out/etc/nsswitch.conf"
# With a SOURCE_DATE_EPOCH it has no serial number; its one path is that of the source. Without indentation it is a third smaller.
"$cargo" cyclonedx --quiet --format json --spec-version 1.5 --target "$triple" --no-build-deps \
    --override-filename asa-operator.cdx >&2
sed "s|$here|/src|g; s/^ *//" asa-operator.cdx.json | tr -d '\n' >"$out/usr/share/asa-operator/sbom.cdx.json"
find . -path ./target -prune -o -name asa-operator.cdx.json -exec rm -f {} +

chmod -R u=rwX,go=rX "$out"
find "$out" -exec touch --no-dereference --date "@$SOURCE_DATE_EPOCH" {} +
