#!/usr/bin/env bash
# Builds the whole Dockerfile where no registry of images can be reached, and says what it is called.
#
# The official image of Rust is stood in for by a Debian with a C compiler, made of Debian's packages, and
# this machine's Rust, which is mounted while it builds. Takes root, buildah and mmdebstrap, and minutes.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
image=localhost/cometchat-exporter:whole
base=docker.io/library/rust:$(sed -n 's/^ARG RUST_VERSION=//p' Dockerfile)-slim-bookworm

if ! buildah inspect --type image "$base" >/dev/null 2>&1; then
    scratch=$(mktemp -d)
    trap 'rm -rf "$scratch"' EXIT
    # shellcheck disable=SC2016 # the format is apt's
    mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Identifier: Packages' | grep --max-count=1 '/debian/$')
    mmdebstrap --quiet --variant=extract --include=base-files,coreutils,dash,findutils,gcc,libc6-dev \
        bookworm "$scratch/base.tar" \
        "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror bookworm main" >&2
    container=$(buildah from scratch)
    root=$(buildah mount "$container")
    tar --extract --file="$scratch/base.tar" --directory="$root"
    # Nothing was configured, so that the usual name of the compiler is missing.
    ln --symbolic gcc "$root/usr/bin/cc"
    buildah config --env CARGO_HOME=/usr/local/cargo \
        --env PATH=/usr/local/rust/bin:/usr/bin:/bin "$container"
    buildah commit --quiet --rm "$container" "$base" >&2
fi

buildah build --isolation=chroot --pull-never --format=docker --layers --quiet \
    --volume="$(rustc --print sysroot)":/usr/local/rust:ro --volume=/etc/ssl/certs:/etc/ssl/certs:ro \
    --tag="$image" . >&2
printf '%s\n' "$image"
