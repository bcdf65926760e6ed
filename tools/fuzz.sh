#!/bin/sh
# Runs the targets of tests/fuzz under libFuzzer, with the instrumentation that a stable toolchain has.
#
#   tools/fuzz.sh SECONDS [TARGET]     each target, or the one, for so long
#   tools/fuzz.sh keep [TARGET]        adds to the kept corpus what reaches code that nothing in it reaches
#
# What was found stays in target/fuzzing/ and is where the next run begins. An input that breaks something goes into the
# kept corpus, where `cargo test -p fuzz` replays it from then on.
set -eu
cd "$(dirname "$0")/.."

for target in ${2:-}; do
    [ -d "tests/fuzz/corpus/$target" ] || { echo "no target $target; there are:" tests/fuzz/corpus/*/ >&2; exit 2; }
done

# What cargo-fuzz passes for --sanitizer none. With --target it holds for what runs, not for build scripts and macros.
flags='-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters'
flags="$flags -Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares"
host=$("${RUSTC:-rustc}" -vV | sed -n 's/^host: //p')
folder=$(RUSTFLAGS="$flags" tools/build.sh build --package fuzz --bin fuzz --features libfuzzer --profile fuzz --target "$host")

# One target; further arguments are libFuzzer's.
fuzz() {
    target=$1
    shift
    FUZZ_TARGET=$target "$folder/fuzz" "$@"
}

for target in ${2:-answers headers plan private_key record}; do
    kept=tests/fuzz/corpus/$target
    found=target/fuzzing/$target
    mkdir -p "$found"
    if [ "$1" = keep ]; then
        # By edges alone: how often each is taken would keep ten times as many.
        fuzz "$target" -set_cover_merge=1 -use_counters=0 "$kept" "$found"
        continue
    fi
    words=tests/fuzz/dictionaries/$target
    [ -e "$words" ] || words=''
    echo "fuzzing $target for $1 s" >&2
    fuzz "$target" -max_total_time="$1" -timeout=10 -print_final_stats=1 -artifact_prefix="$kept/" \
        ${words:+-dict="$words"} "$found" "$kept" || {
        echo "what broke $target is kept as the last file named above; cargo test -p fuzz replays it" >&2
        exit 1
    }
done
