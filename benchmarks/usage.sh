#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What a snapshot of a cgroup's usage costs beside plain reads of the same files in C, as root. Needs gcc, a JDK 25 in JAVA_HOME
# and benchmarks/target/benchmarks.jar. Usage: usage.sh [ROUNDS [EACH]]
set -euo pipefail
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
gcc -O2 -o "$work/usage" src/main/c/usage.c
"$JAVA_HOME/bin/java" --enable-native-access=ALL-UNNAMED -cp target/benchmarks.jar dev.caisson.benchmarks.UsageCost \
    "$work/usage" "${1:-7}" "${2:-2000}"
