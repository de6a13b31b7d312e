#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A second command in a running container, start to exit of a static program: Caisson beside ProcessBuilder (of the program on the
# host), nsenter, crun exec and runc exec, in turns, in one run, as root. crun refuses hybrid layouts of cgroups: there all of it
# runs in a mount namespace that shows version 1 alone. Needs gcc, a JDK 25 in JAVA_HOME and benchmarks/target/benchmarks.jar
# (or EXEC_CLASSPATH). Usage: exec.sh [ROUNDS [EACH]]
set -euo pipefail
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
printf '.globl _start\n_start: mov $231,%%eax\nxor %%edi,%%edi\nsyscall\n' > "$work/true.S"
printf '.globl _start\n_start: mov $34,%%eax\nsyscall\njmp _start\n' > "$work/pause.S"
mkdir -p "$work"/bundle/rootfs/{proc,sys,dev} "$work/view"
for program in true pause; do
    gcc -nostdlib -static -o "$work/bundle/rootfs/$program" "$work/$program.S"
done
# What runc makes by itself: new pid, network, ipc, uts, mount and cgroup namespaces, masked paths, few capabilities.
if command -v runc > /dev/null; then
    (cd "$work/bundle" && runc spec && sed -i -e 's/"terminal": true/"terminal": false/' -e 's#"sh"#"/pause"#' config.json)
fi
run=("$JAVA_HOME/bin/java" --enable-native-access=ALL-UNNAMED -cp "${EXEC_CLASSPATH:-target/benchmarks.jar}"
    dev.caisson.benchmarks.ExecTimes "$work" "${1:-7}" "${2:-200}")
if [ -d /sys/fs/cgroup/unified ]; then
    unshare -m bash -c '
        mount --make-rprivate /
        mount -t tmpfs none "$1/view"
        for hierarchy in /sys/fs/cgroup/*/; do
            [ "$(stat -fc %t "$hierarchy")" = 27e0eb ] || continue
            mkdir "$1/view/$(basename "$hierarchy")"
            mount --bind "$hierarchy" "$1/view/$(basename "$hierarchy")"
        done
        mount --rbind "$1/view" /sys/fs/cgroup
        shift
        exec "$@"' bash "$work" "${run[@]}"
else
    exec "${run[@]}"
fi
