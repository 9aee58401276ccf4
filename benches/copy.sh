# Sourced by scripts that measure in a copy of a checkout. Input: $1, the checkout, which is only read; $CARGO_POC, another program
# than the release build. Sets $checkout, $program and $scratch, a temporary folder, and goes into the copy.
[[ -d ${1:-} ]] || { sed -n '2,/^set/{/^#/p}' "$0" >&2 && exit 2; }
checkout=$(cd -- "$1" && pwd)
program=${CARGO_POC:-$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && cargo metadata --no-deps --format-version 1 |
    sed -E 's/.*"target_directory":"([^"]*)".*/\1/')/release/cargo-poc}
[[ -x $program ]] || { echo "no $program; run: cargo build --release" >&2 && exit 1; }
scratch=$(mktemp -d)
trap 'rm -rf -- "$scratch"' EXIT
git clone --quiet --local "$checkout" "$scratch/copy"
[[ ! -e $checkout/Cargo.lock || -e $scratch/copy/Cargo.lock ]] || cp -- "$checkout/Cargo.lock" "$scratch/copy"
cd -- "$scratch/copy"
export CARGO_TERM_COLOR=never RUST_BACKTRACE=0
