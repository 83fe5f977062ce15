#!/usr/bin/env bash
# Installs what the demo, the tests and the lab need and is not there: Debian packages, uv, the Python environment.
# Quick when nothing is missing. Root or sudo is needed only to install packages.
set -euo pipefail
cd "$(dirname "$0")"

packages=(
    ca-certificates curl openssl # fetching in tests, certificates of agents
    qemu-system-x86 qemu-utils ovmf seabios # virtual servers
    mmdebstrap fakeroot kmod cpio zstd e2fsprogs dosfstools mtools gdisk # ramdisk and OS image
    xorriso grub-efi-amd64-bin grub-pc-bin grub-common systemd-boot-efi binutils # boot media
    postgresql # the other database
    libvirt-daemon-system libvirt-clients python3-libvirt # an independent BMC: sushy-tools on libvirt
)

install_packages() {
    local sudo=()
    [ "$(id -u)" = 0 ] || sudo=(sudo)
    echo "installing Debian packages: $*"
    "${sudo[@]}" apt-get update -qq
    "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

missing=()
for package in "${packages[@]}"; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] || install_packages "${missing[@]}"

export PATH="$PATH:$HOME/.local/bin"
if ! command -v uv >/dev/null; then
    python3 -m pip --version >/dev/null 2>&1 || install_packages python3-pip
    python3 -m pip install --quiet --break-system-packages uv 2>/dev/null || python3 -m pip install --quiet uv
fi

stamp=.venv/.synced
if [ ! -f "$stamp" ] || [ uv.lock -nt "$stamp" ] || [ pyproject.toml -nt "$stamp" ]; then
    env -u PYTHONDONTWRITEBYTECODE uv sync --frozen --all-packages --quiet --compile-bytecode
    touch "$stamp"
fi
