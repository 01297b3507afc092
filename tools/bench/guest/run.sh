#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# run.sh BIN TMP NAME:SIZE,.. [time]: runs workloads, each between two marks, in a guest and on the host alike.
# What a workload needs is made before its first mark; what it computed is printed after its last.
# With `time`, each one's CPU time goes to standard error.
b=$1/busybox w=$1/work tmp=$2 timed=${4:-}

one() {
    case $1 in
    hash) $w text "$2" > "$tmp/data" ;;
    gzip) $w text "$2" 1024 > "$tmp/data" ;;
    avx2) if ! $w has-avx2; then $w mark "absent $1"; return; fi ;;
    esac
    t=${timed:+$w time $1}
    $w mark "begin $1"
    case $1 in
    hash) r=$($t $b sha256sum < "$tmp/data") ;;
    gzip) $t $b gzip -9 -c "$tmp/data" > "$tmp/data.gz" ;;
    awk)  r=$($t $b awk -v n="$2" 'BEGIN {
              for (i = 0; i < n; i++) {
                  s = (s * 31 + i) % 65537
                  seen[s % 512]++
                  if (i % 16 == 0)
                      text = substr(s ":" text, 1, 40)
              }
              print s, seen[7], text
          }') ;;
    fork) r=$($t $w fork "$2" "$w") ;;
    *)    r=$($t $w "$1" "$2") ;;
    esac
    $w mark "end $1"
    case $1 in gzip) r=$($b sha256sum < "$tmp/data.gz") ;; esac
    $w mark "result $1 $(echo "$r" | $b tr ' ' '_')"
    $b rm -f "$tmp/data" "$tmp/data.gz"
}

for each in $(echo "$3" | $b tr ',' ' '); do
    one "${each%:*}" "${each#*:}"
done
