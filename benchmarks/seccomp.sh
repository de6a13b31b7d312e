#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Docker's default seccomp policy: our program beside libseccomp's. Needs gcc, libseccomp-dev, a JDK 25 in JAVA_HOME, and
# benchmarks/target/benchmarks.jar (mvn -DskipTests package).
set -euo pipefail
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
java=("$JAVA_HOME/bin/java" --enable-native-access=ALL-UNNAMED -cp target/benchmarks.jar dev.caisson.benchmarks.SeccompFilters)
gcc -O2 -o "$work/seccomp" src/main/c/seccomp.c -lseccomp
"${java[@]}" compile "$work"
"$work/seccomp" "$work"
"${java[@]}" paths "$work"
