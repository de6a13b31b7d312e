#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Round trip of a supervised system call: supervisors in Java beside one in C, on one processor and on all, in one run. Needs
# gcc, root, a JDK 25 in JAVA_HOME, and benchmarks/target/benchmarks.jar (mvn -DskipTests package).
set -euo pipefail
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
gcc -O2 -o "$work/notify" src/main/c/notify.c
for round in $(seq "${1:-3}"); do
    for pinned in "" "taskset -c 0"; do
        echo "round $round, ${pinned:-unpinned}"
        # A receive that blocks for ever ends with its caller on new kernels only: poll first, as all who must end do.
        $pinned "$work/notify" c poll
        $pinned "$JAVA_HOME/bin/java" --enable-native-access=ALL-UNNAMED -cp "${CLASSES:-target/benchmarks.jar}" \
            dev.caisson.benchmarks.NotifyRoundTrip "$work/notify"
    done
done
