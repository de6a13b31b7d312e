#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Start-to-exit times of Caisson, C, bubblewrap, crun and runc side by side, as root. Needs gcc, a JDK 25 in JAVA_HOME, and
# benchmarks/target/benchmarks.jar (mvn -DskipTests package). Usage: compare.sh [ROUNDS [LAUNCHES]]
set -euo pipefail
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
java=("$JAVA_HOME/bin/java" --enable-native-access=ALL-UNNAMED -cp target/benchmarks.jar dev.caisson.benchmarks.Compare)

printf '.globl _start\n_start: mov $231,%%eax\nxor %%edi,%%edi\nsyscall\n' > "$work/true.S"
gcc -nostdlib -static -o "$work/true" "$work/true.S"
mkdir -p "$work/layer" "$work/bundle"
cp "$work/true" "$work/layer/true"
mkdir -p "$work"/layer/{proc,sys,dev}
cp -r "$work/layer" "$work/bundle/rootfs"
"${java[@]}" --c "$work" > "$work/generated.h"
gcc -O2 -w -I "$work" -o "$work/cbench" src/main/c/cbench.c

if command -v runc > /dev/null; then
    # runc's own default: new pid, network, ipc, uts, mount and cgroup namespaces, masked paths, few capabilities.
    (cd "$work/bundle" && runc spec && sed -i -e 's/"terminal": true/"terminal": false/' -e 's#"sh"#"/true"#' config.json)
fi
"${java[@]}" "$work" "${1:-5}" "${2:-200}"
