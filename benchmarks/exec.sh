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
cat > "$work/bundle/config.json" << 'EOF'
{
  "ociVersion": "1.0.0",
  "process": {"user": {"uid": 0, "gid": 0}, "args": ["/pause"], "cwd": "/", "noNewPrivileges": true},
  "root": {"path": "rootfs"},
  "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"}],
  "linux": {"namespaces": [{"type": "pid"}, {"type": "mount"}, {"type": "network"}, {"type": "ipc"}, {"type": "uts"}]}
}
EOF
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
