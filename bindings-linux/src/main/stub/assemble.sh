#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Assembles the launch stubs into the bytes that are committed beside the classes. Needs GNU binutils for both architectures
# (Debian: binutils, binutils-aarch64-linux-gnu).
set -eu
cd "$(dirname "$0")"
out=../resources/dev/caisson/linux/child
object=$(mktemp)
trap 'rm -f "$object"' EXIT
for arch in x86_64 aarch64; do
    "$arch-linux-gnu-as" "$arch.S" -o "$object"
    "$arch-linux-gnu-objcopy" -O binary -j .text "$object" "$out/$arch.bin"
done
