#!/usr/bin/env bash
# Has the kernel run programs of another processor by qemu, in every root:
#
#     packaging/emulate.sh PROCESSOR…      (as in a target: aarch64, s390x)
#
# Debian's qemu-user-static registers itself where systemd or binfmt-support runs; in
# other places, such as a container with root's rights, this does. Needs root.
set -euo pipefail
[[ -x /usr/bin/qemu-aarch64-static ]] || {
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends qemu-user-static
} >&2
table=/proc/sys/fs/binfmt_misc
[[ -e $table/register ]] || mount -t binfmt_misc binfmt_misc "$table"
for processor; do
  # A program's first 20 bytes, of which those under FF and FE count: the header of an
  # ELF file, of 64 bits, of either type of program, for this processor.
  case $processor in
    aarch64) order=1 type='\x02\x00' machine='\xb7\x00' ignored='\xfe\xff' ;;
    s390x) order=2 type='\x00\x02' machine='\x00\x16' ignored='\xff\xfe' ;;
    *) printf 'packaging/emulate.sh: unknown processor: %s\n' "$processor" >&2 && exit 1 ;;
  esac
  [[ ! -e $table/qemu-$processor ]] || continue
  # F opens qemu now, so that a root without it runs such programs too.
  printf '%s' ":qemu-$processor:M::\\x7fELF\\x02\\x0$order\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00$type$machine:\
\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\x00\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff$ignored\\xff\\xff:/usr/bin/qemu-$processor-static:F" >"$table/register"
done
