#!/usr/bin/env bash
# Prints FILE:LINE of the functions in the sources of the current folder whose body begins at the end of that line, without
# tests, in an order that depends on SEED.
set -euo pipefail
git ls-files '*.rs' | grep -vE '(^|/)(tests|benches|examples|build\.rs)(/|$)' |
    xargs awk '/^ *(pub(\([a-z]+\))? )?(async )?fn [a-z_0-9]+.*\{$/ && last !~ /#\[(tokio::|crate::)?test/ { print FILENAME ":" FNR }
        { last = $0 }' |
    awk -v seed="${1:?usage: functions.sh SEED}" 'BEGIN { srand(seed) } { printf "%.9f %s\n", rand(), $0 }' | sort | cut -d ' ' -f 2
