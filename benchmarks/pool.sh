#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# From taking a container of a pool to the exit of its command, beside the same container started cold and a bare posix_spawn, as
# root. Needs gcc, a JDK 25 in JAVA_HOME, and benchmarks/target/benchmarks.jar (mvn -DskipTests package).
# Usage: pool.sh [ROUNDS [LAUNCHES]]
set -euo pipefail
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

printf '.globl _start\n_start: mov $231,%%eax\nxor %%edi,%%edi\nsyscall\n' > "$work/true.S"
gcc -nostdlib -static -o "$work/true" "$work/true.S"
mkdir -p "$work"/layer/{proc,sys,dev,tmp,run}
cp "$work/true" "$work/layer/true"
gcc -O2 -o "$work/spawn" src/main/c/spawn.c
"$JAVA_HOME/bin/java" --enable-native-access=ALL-UNNAMED -cp target/benchmarks.jar dev.caisson.benchmarks.PoolCost \
    "$work" "${1:-7}" "${2:-200}"
