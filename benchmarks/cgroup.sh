#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What a cgroup costs, beside plain file operations in C and beside crun, as root. crun refuses hybrid layouts: on such a host all
# of it runs a second and a third time, in mount namespaces that show version 1 alone and version 2 alone. Needs gcc, a JDK 25 in
# JAVA_HOME and benchmarks/target/benchmarks.jar. Usage: cgroup.sh [ROUNDS [EACH]]
set -euo pipefail
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
printf '.globl _start\n_start: mov $231,%%eax\nxor %%edi,%%edi\nsyscall\n' > "$work/true.S"
gcc -nostdlib -static -o "$work/true" "$work/true.S"
gcc -O2 -o "$work/cgroup" src/main/c/cgroup.c
mkdir -p "$work"/bundle/rootfs/{proc,sys,dev}
cp "$work/true" "$work/bundle/rootfs/true"
cat > "$work/bundle/config.json" << 'EOF'
{
  "ociVersion": "1.0.0",
  "process": {"user": {"uid": 0, "gid": 0}, "args": ["/true"], "cwd": "/"},
  "root": {"path": "rootfs"},
  "mounts": [],
  "linux": {
    "namespaces": [{"type": "pid"}, {"type": "mount"}],
    "resources": {"memory": {"limit": 67108864}, "cpu": {"quota": 150000, "period": 100000}, "pids": {"limit": 64}}
  }
}
EOF
# Where version 2 has no controller for them.
cp -r "$work/bundle" "$work/unlimited"
sed -i -E 's/"resources": .*/"resources": {}/' "$work/unlimited/config.json"
run=("$JAVA_HOME/bin/java" --enable-native-access=ALL-UNNAMED -cp target/benchmarks.jar dev.caisson.benchmarks.CgroupCost
    "$work" "${1:-7}" "${2:-300}")
"${run[@]}"
if command -v crun > /dev/null && [ -d /sys/fs/cgroup/unified ]; then
    echo "in a view of version 1 alone:"
    mkdir "$work/view"
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
    echo "in a view of version 2 alone, with the controllers $(cat /sys/fs/cgroup/unified/cgroup.controllers):"
    unshare -m bash -c '
        mount --make-rprivate /
        mount -t cgroup2 none /sys/fs/cgroup
        exec "$@"' bash "${run[@]}"
fi
