#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Where the time of a launch goes, call by call: the C program of compare.sh with a clock around each call, as root. Needs
# gcc, a JDK 25 in JAVA_HOME, and benchmarks/target/benchmarks.jar. Usage: profile.sh VARIANT [LAUNCHES]
set -euo pipefail
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
printf '.globl _start\n_start: mov $231,%%eax\nxor %%edi,%%edi\nsyscall\n' > "$work/true.S"
gcc -nostdlib -static -o "$work/true" "$work/true.S"
mkdir -p "$work"/layer/{proc,sys,dev}
cp "$work/true" "$work/layer/true"
"$JAVA_HOME/bin/java" --enable-native-access=ALL-UNNAMED -cp target/benchmarks.jar dev.caisson.benchmarks.Compare \
    --c "$work" > "$work/generated.h"
gcc -O2 -w -DPROFILE -I "$work" -o "$work/cprofile" src/main/c/cbench.c
"$work/cprofile" "$1" "${2:-1000}" "$work/true"
