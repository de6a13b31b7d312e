#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Detached containers, as root: start to running beside crun run -d and runc run -d, in turns; memory of many supervisors, beside
# conmon's; a log of many megabytes, beside conmon's. Needs gcc, runc, crun, conmon, a JDK 25 in JAVA_HOME and
# benchmarks/target/benchmarks.jar (or EXEC_CLASSPATH). Usage: detached.sh [ROUNDS [CONTAINERS [MEGABYTES]]]
set -euo pipefail
cd "$(dirname "$0")"
work=$(mktemp -d -p /dev/shm)
trap 'rm -rf "$work"' EXIT
printf '.globl _start\n_start: mov $34,%%eax\nsyscall\njmp _start\n' > "$work/pause.S"
mkdir -p "$work"/bundle/rootfs/{proc,sys,dev}
gcc -nostdlib -static -o "$work/bundle/rootfs/pause" "$work/pause.S"
(cd "$work/bundle" && runc spec && sed -i -e 's/"terminal": true/"terminal": false/' -e 's#"sh"#"/pause"#' config.json)
java=("$JAVA_HOME/bin/java" --enable-native-access=ALL-UNNAMED "-Dcaisson.state=$work/state"
    -cp "${EXEC_CLASSPATH:-target/benchmarks.jar}" dev.caisson.benchmarks.DetachedTimes "$work")
"${java[@]}" start "${1:-60}"
"${java[@]}" memory "${2:-1000}"
"${java[@]}" log "${3:-1024}"

# conmon, with a runtime that starts the same script without a container: what is measured is the log.
cat > "$work/runtime" << 'END'
#!/bin/sh
# create --bundle B --pid-file P ID, as conmon calls it
while [ $# -gt 0 ]; do
    case $1 in --pid-file) pidfile=$2; shift ;; esac
    shift
done
sh "$SCRIPT" &
echo $! > "$pidfile"
END
chmod +x "$work/runtime"
lines='yes 0123456789012345678901234567890123456789012345678901234567890123456789'
megabytes=${3:-1024}
echo "$lines | head -c $((megabytes * 1048576)); sleep 0.2" > "$work/script"
mkdir "$work/exits"
begin=$(date +%s%N)
SCRIPT=$work/script conmon --api-version 1 -c log -u log -n log -r "$work/runtime" -b "$work/bundle" -p "$work/pid" \
    -P "$work/conmon" -l "k8s-file:$work/conmon.log" --exit-dir "$work/exits" --full-attach < /dev/null > /dev/null 2>&1
sleep 0.1
awk '/^VmRSS/ { print "conmon: " $2 " kB resident" }' "/proc/$(cat "$work/conmon")/status"
while [ ! -e "$work/exits/log" ]; do sleep 0.01; done
end=$(date +%s%N)
echo "conmon, CRI: $((megabytes * 1000 / ((end - begin) / 1000000 - 200))) MB/s"
