#!/bin/sh
# Build a monolithic User Mode Linux kernel with IPVS, nftables, ip_set, every
# virtual link type and so on (lab.config) from Debian's own kernel source.
# Result: $PYHAD_LAB_CACHE/linux-custom (about 10 MB), which lab-kernel prefers.
#   apt packages: gcc make libc6-dev flex bison bc xz-utils binutils
#   network: one `apt-get download` of about 150 MB; disk: about 2.5 GB while building
# Usage: build-uml-kernel.sh [SOURCE_PACKAGE]       default linux-source-6.12
set -eu
PKG=${1:-linux-source-6.12}
HERE=$(cd "$(dirname "$0")" && pwd)
CACHE=${PYHAD_LAB_CACHE:-$HERE/../../.cache/lab-kernel}
for tool in gcc make flex bison bc xz; do
    command -v $tool >/dev/null || { echo "missing: $tool" >&2; exit 1; }
done
mkdir -p "$CACHE"
T=$(mktemp -d "${TMPDIR:-/tmp}/lab-kernel-build.XXXXXX")
trap 'rm -rf "$T"' EXIT INT TERM
cd "$T"
apt-get -q -o APT::Sandbox::User=root download "$PKG" >&2
dpkg-deb --fsys-tarfile ./*.deb | tar xf - --wildcards './usr/src/*.tar.xz'
rm -f ./*.deb
tar xJf usr/src/*.tar.xz && rm -rf usr
cd linux-source-*
make -s ARCH=um x86_64_defconfig
scripts/kconfig/merge_config.sh -m -O . .config "$HERE/lab.config" >/dev/null
make -s ARCH=um olddefconfig
grep '=y$' "$HERE/lab.config" | while read -r want; do
    grep -qx "$want" .config || echo "not available in this source: $want" >&2
done
make -s ARCH=um -j"$(nproc)" linux
strip -o "$CACHE/linux-custom.new" linux
cp .config "$CACHE/linux-custom.config"
mv "$CACHE/linux-custom.new" "$CACHE/linux-custom"
echo "built $("$CACHE/linux-custom" --version): $CACHE/linux-custom"
