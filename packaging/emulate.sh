#!/usr/bin/env bash
# Makes the kernel run programs of another processor with qemu, in every root:
#
#     packaging/emulate.sh PROCESSOR…      (as in a target: aarch64, s390x)
#
# Debian's qemu-user-static registers itself if systemd or binfmt-support runs; elsewhere,
# such as in a privileged container, this script does. Needs root.
set -euo pipefail
[[ -x /usr/bin/qemu-aarch64-static ]] || {
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends qemu-user-static
} >&2
table=/proc/sys/fs/binfmt_misc
[[ -e $table/register ]] || mount -t binfmt_misc binfmt_misc "$table"
for processor; do
  # The header of a 64-bit ELF file (20 bytes) for this processor, of either type of program;
  # the mask (FF, FE) selects the bytes to compare.
  case $processor in
    aarch64) order=1 type='\x02\x00' machine='\xb7\x00' ignored='\xfe\xff' ;;
    s390x) order=2 type='\x00\x02' machine='\x00\x16' ignored='\xff\xfe' ;;
    *) printf 'packaging/emulate.sh: unknown processor: %s\n' "$processor" >&2 && exit 1 ;;
  esac
  [[ ! -e $table/qemu-$processor ]] || continue
  # F opens qemu now, so that such programs also run in a root without qemu.
  printf '%s' ":qemu-$processor:M::\\x7fELF\\x02\\x0$order\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00$type$machine:\
\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\x00\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff$ignored\\xff\\xff:/usr/bin/qemu-$processor-static:F" >"$table/register"
done
