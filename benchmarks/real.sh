#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What users run: the dynamic /bin/true over this machine's own root, with and without limits, as root and as an ordinary user,
# beside bubblewrap and ProcessBuilder in turns; launches per second from several threads; the first container of a JVM, also
# with an AOT cache. Requires root, setpriv, a JDK 25 in JAVA_HOME that everybody may read, and
# benchmarks/target/benchmarks.jar (mvn -DskipTests package). Usage: real.sh [LAUNCHES [SECONDS [JVMS]]]
set -euo pipefail
cd "$(dirname "$0")"
launches=${1:-800} seconds=${2:-3} jvms=${3:-15}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
cp target/benchmarks.jar "$work/"
java=("$JAVA_HOME/bin/java" --enable-native-access=ALL-UNNAMED -cp "$work/benchmarks.jar")

echo "== as root"
"${java[@]}" dev.caisson.benchmarks.RealRoot "$launches" "$seconds"
echo
echo "== as an ordinary user"
setpriv --reuid=65533 --regid=65533 --clear-groups -- "${java[@]}" dev.caisson.benchmarks.RealRoot "$launches" "$seconds"

median() {
    sort -n | awk '{ all[NR] = $1 } END { print all[int((NR + 1) / 2)] }'
}

# $1: what is started; the rest: options of the JVM
first() {
    local what=$1
    shift
    "${java[@]}" "$@" dev.caisson.benchmarks.FirstContainer "$what"
}

echo
echo "== the first of a JVM, median ms of $jvms JVMs in turns: cold, with an AOT cache"
kinds=(processbuilder downcall bare builder sandbox)
for what in "${kinds[@]}"; do
    first "$what" -XX:AOTCacheOutput="$work/$what.aot" > /dev/null 2>&1
done
for ((i = 0; i < jvms; i++)); do
    for what in "${kinds[@]}"; do
        first "$what" >> "$work/$what.cold"
        first "$what" -XX:AOTCache="$work/$what.aot" >> "$work/$what.cached"
    done
done
for what in "${kinds[@]}"; do
    printf '%-16s %8s %8s\n' "$what" "$(median < "$work/$what.cold")" "$(median < "$work/$what.cached")"
done
