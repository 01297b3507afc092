#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Makes a small initrd from Debian's busybox-static: make-initrd.sh amd64|i386 OUT [DIR].
# Its shell talks to /dev/console; nothing else runs.  What DIR has is added, and may replace /init.
# From the same files comes the same initrd, byte by byte: a recording replays with one that was made again.
set -eu
if [ $# -ne 2 ] && [ $# -ne 3 ]; then
    echo "usage: $0 amd64|i386 OUT [DIR]" >&2
    exit 1
fi
arch=$1
case $2 in /*) out=$2 ;; *) out=$PWD/$2 ;; esac
more=${3:-}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/root/bin" "$work/root/proc" "$work/root/sys" "$work/root/dev" "$work/root/tmp"

if [ "$(dpkg --print-architecture)" = "$arch" ] && [ -x /bin/busybox ]; then
    cp /bin/busybox "$work/root/bin/busybox"
else
    # The other architecture's package, fetched with package lists of its own and not installed.
    deb="${XDG_CACHE_HOME:-$HOME/.cache}/reprise/busybox-static-$arch.deb"
    if [ ! -s "$deb" ]; then
        mkdir -p "$(dirname "$deb")" "$work/apt/lists/partial" "$work/apt/archives/partial" "$work/get"
        set -- -q -o Dir::State="$work/apt" -o Dir::State::status=/dev/null -o Dir::Cache="$work/apt" \
            -o APT::Architecture="$arch" -o APT::Architectures="$arch" -o APT::Sandbox::User=
        apt-get "$@" update > "$work/log" 2>&1 || true
        (cd "$work/get" && apt-get "$@" download busybox-static >> "$work/log" 2>&1) || { cat "$work/log" >&2; exit 1; }
        mv "$work/get"/busybox-static_*.deb "$deb"
    fi
    dpkg-deb -x "$deb" "$work/other"
    cp "$work/other/bin/busybox" "$work/root/bin/busybox"
fi
ln -s busybox "$work/root/bin/sh"
cat > "$work/root/init" <<'INIT'
#!/bin/sh
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sysfs /sys
/bin/busybox mount -t devtmpfs dev /dev 2>/dev/null
/bin/busybox --install -s /bin
exec setsid cttyhack sh
INIT
[ -z "$more" ] || cp -R "$more"/. "$work/root/"
chmod 755 "$work/root/init"
cd "$work/root"
find . -exec touch -h -d @0 {} +
find . -print0 | LC_ALL=C sort -z | cpio --null --quiet -o -H newc -R 0:0 --reproducible | gzip -9n > "$out"
