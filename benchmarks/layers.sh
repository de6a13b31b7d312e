#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# All about layers: mounts by their number beside C and mount(8), changes() of a large upper beside find(1); copy-up beside cp(1)
# on tmpfs, the file system of the temporary directory, and xfs and btrfs on loop devices where their tools are; commit and
# reset by the size of the upper. As root. Needs a JDK 25 in JAVA_HOME and benchmarks/target/benchmarks.jar
# (mvn -DskipTests package), and 8 GB of disk.
set -euo pipefail
cd "$(dirname "$0")"
if [ "${CAISSON_OWN_MOUNTS:-}" != 1 ]; then
    CAISSON_OWN_MOUNTS=1 exec unshare --mount --propagation private "./${0##*/}" "$@"
fi
work=$(mktemp -d)
cleanup() {
    for fs in tmpfs xfs btrfs; do
        umount "$work/$fs" 2> /dev/null || true
    done
    rm -rf "$work"
}
trap cleanup EXIT
java=("$JAVA_HOME/bin/java" --enable-native-access=ALL-UNNAMED -cp target/benchmarks.jar)
layers=("${java[@]}" dev.caisson.benchmarks.Layers)

mkdir "$work"/{disk,tmpfs,xfs,btrfs}
mount -t tmpfs -o size=4g tmpfs "$work/tmpfs"
where=("$work/tmpfs" "$work/disk")
for fs in xfs btrfs; do
    if command -v "mkfs.$fs" > /dev/null; then
        truncate -s 4G "$work/$fs.img"
        "mkfs.$fs" -q "$work/$fs.img" > /dev/null
        mount -o loop "$work/$fs.img" "$work/$fs"
        where+=("$work/$fs")
    else
        echo "skipped: $fs, mkfs.$fs is not installed"
    fi
done
"${java[@]}" dev.caisson.benchmarks.OverlayTimes "$work/disk"
"${layers[@]}" copy-up "${where[@]}"
"${layers[@]}" store "$work/disk"
