#!/usr/bin/env bash
# Compares `cargo poc affected --format packages` with what cargo prints: for each of the last commits of CHECKOUT, a package
# whose messages of `cargo clippy`, messages of `cargo doc` or generated pages differ from those of the parent commit must be
# listed. Nothing is normalized; only the order of messages is ignored. Missed packages are printed, exit code 1.
#
#     cargo build --release && benches/packages.sh [--commits N] CHECKOUT [BUILD OPTION…]
#
# --commits N   Go back in the first-parent history until N commits were compared (20). A commit is not compared if it or its
#               parent does not build, and commits that change no Rust source, manifest or Markdown file are left out.
#
# The checkout is only read. Needs clippy, and what `cargo fetch` downloads for its commits.
set -euo pipefail
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
commits=20
if [[ ${1:-} == --commits ]]; then
    commits=$2 && shift 2
fi
source "$here/copy.sh" "${1:-}"
shift
# Lints that old commits forbid are warnings.
export RUSTFLAGS=--cap-lints=warn RUSTDOCFLAGS=--cap-lints=warn


# The name of the package in each line of JSON from cargo, a tab, and the line.
with_package() {
    sed -nE 's/^\{"reason":"[^"]*","package_id":"path\+[^"]*[/#]([^"/#@]+)[#@][^"#@]*".*/\1\t&/p'
}

# The output of the checked out commit, by package: a line for each message and each generated page, in the file $1.
# Fails if the commit does not build.
outputs() {
    # The folders stay, because rustdoc links to the other crates that have one.
    [[ ! -d target/doc ]] || find target/doc -type f -delete
    cargo clippy --workspace --lib --bins --tests --examples --message-format json "${@:2}" >"$scratch/clippy" 2>"$scratch/errors" || return 1
    # One crate at a time: rustdoc links to the pages of another crate that exist at that time.
    cargo doc --jobs 1 --workspace --no-deps --message-format json "${@:2}" >"$scratch/doc" 2>"$scratch/errors" || return 1
    {
        grep '^{"reason":"compiler-message"' "$scratch/clippy" | with_package | sed 's/\t/\tclippy\t/'
        grep '^{"reason":"compiler-message"' "$scratch/doc" | with_package | sed 's/\t/\tdoc\t/'
        grep '^{"reason":"compiler-artifact".*/doc/[^"]*/index.html"' "$scratch/doc" | with_package |
            sed -E 's|^([^\t]*)\t.*/doc/([^"/]*)/index.html".*|\1 \2|' | sort -u |
            while read -r package crate; do
                find "target/doc/$crate" "target/doc/src/$crate" -type f -exec sha256sum {} + 2>/dev/null |
                    awk -v package="$package" -v OFS='\t' '{ print package, "page", $2 " " $1 }' || true
            done
    } | sort >"$1"
    [[ -s $1 ]]
}

git rev-list --first-parent HEAD -- '*.rs' '*.toml' '*.md' Cargo.lock >"$scratch/commits"
cargo doc --workspace --no-deps --quiet "$@" 2>"$scratch/errors" || { cat "$scratch/errors" >&2 && exit 1; }
compared=0 changed=0 packages=0 listed=0 members=0 misses=0 unbuilt=0
later='' # The commit whose output is in `$scratch/later`, and what `affected` lists for it.
while ((compared < commits)) && read -r commit <&3; do
    git checkout --quiet "$commit"
    built=yes
    outputs "$scratch/earlier" "$@" || built=
    if [[ -n $later && -n $built ]]; then
        compared=$((compared + 1))
        listed=$((listed + $(comm -12 "$scratch/listed" "$scratch/members" | wc -l)))
        members=$((members + $(wc -l <"$scratch/members")))
        # A package that the later commit does not contain cannot be listed.
        comm -3 "$scratch/earlier" "$scratch/later" | sed 's/^\t//' | cut -f 1 | sort -u |
            comm -12 - "$scratch/members" >"$scratch/changed"
        comm -23 "$scratch/changed" "$scratch/listed" >"$scratch/missed"
        packages=$((packages + $(wc -l <"$scratch/changed")))
        [[ ! -s $scratch/changed ]] || changed=$((changed + 1))
        printf '%s: %d packages changed, %d listed, %d missed\n' "${later:0:12}" "$(wc -l <"$scratch/changed")" \
            "$(wc -l <"$scratch/listed")" "$(wc -l <"$scratch/missed")"
        while read -r package; do
            misses=$((misses + 1))
            printf '    missed: %s\n' "$package"
            comm -3 "$scratch/earlier" "$scratch/later" | grep -P "^\t?$package\t" | cut -c 1-400 | head -n 4 || true
        done <"$scratch/missed"
    elif [[ -z $built ]]; then
        unbuilt=$((unbuilt + 1))
        printf '%s does not build: %s\n' "${commit:0:12}" "$(grep -m 1 ^error "$scratch/errors" || true)"
    fi
    later=
    if [[ -n $built ]]; then
        later=$commit
        mv -- "$scratch/earlier" "$scratch/later"
        cut -f 1 "$scratch/later" | sort -u >"$scratch/members"
        # The parent in the list of commits: those in between change no file that counts here.
        parent=$(awk -v commit="$commit" 'found { print; exit } $0 == commit { found = 1 }' "$scratch/commits")
        "$program" affected --base "${parent:-$commit}" --format packages "$@" 2>/dev/null |
            sed 's/@.*//' | sort -u >"$scratch/listed"
    fi
done 3<"$scratch/commits"
printf '%d commits compared, %d change the output of %d packages, %d of %d packages listed, %d missed; %d do not build\n' \
    "$compared" "$changed" "$packages" "$listed" "$members" "$misses" "$unbuilt"
((misses == 0 && changed > 0))
