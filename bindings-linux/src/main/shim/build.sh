#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Compiles the shim into the static, position-independent executables that are committed beside the classes: build.sh [DIRECTORY].
# Needs GCC 12 for both architectures (Debian 12: gcc, gcc-aarch64-linux-gnu); another version makes other bytes.
set -eu
out=$(cd "${1:-$(dirname "$0")/../resources/dev/caisson/linux/child}" && pwd)
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for arch in ${ARCHES:-x86_64 aarch64}; do
    gcc=$arch-linux-gnu-gcc
    page=4096
    common="-Oz -std=gnu11 -Wall -Wextra -Werror -ffreestanding -fno-builtin -fno-stack-protector -fno-asynchronous-unwind-tables
        -fno-unwind-tables -fno-jump-tables -fpie -fvisibility=hidden -fomit-frame-pointer -fcf-protection=none -fno-ident"
    if [ "$arch" = aarch64 ]; then
        common="$(echo $common | sed 's/-fcf-protection=none/-mno-outline-atomics/')"
        page=65536 # The largest there is: no page is both code and data.
    fi
    objects=
    for source in ../stub/$arch.S entry-$arch.S *.c; do
        object=$work/$(basename "$source").o
        # Each byte of output passes through these.
        case $source in log.c | record.c | text.c) speed=-O2 ;; *) speed= ;; esac
        $gcc $common $speed -c "$source" -o "$object"
        objects="$objects $object"
    done
    $gcc -nostdlib -static-pie -Wl,-z,noseparate-code,-z,norelro,-z,noexecstack,--build-id=none,--hash-style=gnu,-z,max-page-size=$page \
        $objects -o "$work/shim"
    # Nothing relocates it at its start: there is nothing to be relocated.
    if "$arch-linux-gnu-readelf" -r "$work/shim" | grep -q 'R_'; then
        echo "the shim for $arch requires relocations" >&2
        exit 1
    fi
    "$arch-linux-gnu-strip" -s -R .comment -R .gnu.hash -R .note.gnu.property "$work/shim"
    cp "$work/shim" "$out/shim-$arch.elf"
done
