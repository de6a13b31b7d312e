#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Assembles the launch stub into the bytes that are committed beside the classes. Needs GNU binutils.
set -eu
cd "$(dirname "$0")"
out=../resources/dev/caisson/linux/child
object=$(mktemp)
trap 'rm -f "$object"' EXIT
as --64 x86_64.S -o "$object"
objcopy -O binary -j .text "$object" "$out/x86_64.bin"
