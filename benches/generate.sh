#!/usr/bin/env bash
# Writes a workspace of COUNT packages (200 by default) into the new folder DIR, with a git history of one commit.
# No dependency leaves the workspace. Every package has a library of five files with unit tests and documentation tests,
# and two integration tests; it depends on up to three packages before it, so that the graph is deep and wide.
set -euo pipefail
usage='usage: generate.sh DIR [COUNT]'
dir=${1:?$usage}
count=${2:-200}
mkdir -- "$dir"
cd -- "$dir"

module() { # package, module
    printf '//! Module %s of package %s.\n' "$2" "$1"
    for ((item = 0; item < 12; item++)); do
        local constant=$(($1 + $2 + item))
        printf '%s\n' '' "/// Item $item of module $2: its input and a constant." '///' '/// ```' \
            "/// assert_eq!(p$1::m$2::item_$item(1), $((constant + 1)));" '/// ```' \
            "pub fn item_$item(input: u64) -> u64 {" "    let constant = $constant;" '    input + constant' '}' '' \
            '#[cfg(test)]' "mod item_${item}_tests {" '    #[test]' '    fn adds_its_constant() {' \
            "        assert_eq!(super::item_$item(2), $((constant + 2)));" '    }' '}'
    done
}

printf '[workspace]\nresolver = "3"\nmembers = ["packages/*"]\n' >Cargo.toml
printf '/target\n' >.gitignore
for ((package = 0; package < count; package++)); do
    folder=packages/p$package
    mkdir -p -- "$folder/src" "$folder/tests"
    {
        printf '[package]\nname = "p%d"\nversion = "0.1.0"\nedition = "2024"\npublish = false\n\n[dependencies]\n' "$package"
        # The package before at times, and those at a half and a third of its number.
        for on in $((package % 4 == 3 ? package - 1 : -1)) $((package / 2)) $((package / 3)); do
            if ((on >= 0 && on < package)); then printf 'p%d = { path = "../p%d" }\n' "$on" "$on"; fi
        done | sort -u
    } >"$folder/Cargo.toml"
    {
        printf '//! Package %d of a generated workspace.\n\n' "$package"
        for module in 0 1 2 3; do
            printf 'pub mod m%d;\n' "$module"
            module "$package" "$module" >"$folder/src/m$module.rs"
        done
    } >"$folder/src/lib.rs"
    for test in first second; do
        printf '//! The %s test of package %d.\n\n#[test]\nfn %s() {\n    assert_eq!(p%d::m0::item_0(0), %d);\n}\n' \
            "$test" "$package" "$test" "$package" "$package" >"$folder/tests/$test.rs"
    done
done
cargo generate-lockfile --offline --quiet
git init --quiet
git add .
git -c user.name=generated -c user.email=generated@example.invalid -c commit.gpgsign=false \
    commit --quiet --no-verify --message 'A generated workspace'
