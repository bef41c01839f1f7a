# syntax=docker/dockerfile:1
# The exporter alone on an empty base: one static binary, the certificates of the public authorities,
# and a folder for the state. Build it for the machine it is to run on; both amd64 and arm64 work:
#   docker build --build-arg REVISION="$(git rev-parse HEAD)" --tag cometchat-exporter .
ARG RUST_VERSION=1.95.0

FROM rust:${RUST_VERSION}-slim-bookworm AS build
WORKDIR /build
# Linked statically, the C library too; naming the target keeps that from build scripts and macros.
ENV RUSTFLAGS="-C target-feature=+crt-static"

# The dependencies are a layer of their own, built with nothing of ours: it is made anew only when they
# change. The manifest wants the targets that it names.
COPY Cargo.toml Cargo.lock build.rs ./
COPY benches benches
RUN mkdir src && echo 'fn main() {}' >src/main.rs && touch src/lib.rs \
    && cargo build --release --locked --target "$(uname -m)-unknown-linux-gnu" --bin cometchat-exporter

COPY src src
# Shown as `revision` in cometchat_exporter_build_info.
ARG REVISION=unknown
# Cargo goes by the times of files, and those of the copied ones may lie before the layer above.
RUN find src -name '*.rs' -exec touch {} + \
    && COMETCHAT_EXPORTER_REVISION="$REVISION" \
        cargo build --release --locked --target "$(uname -m)-unknown-linux-gnu" --bin cometchat-exporter \
    && install -D --target-directory=/image/bin "target/$(uname -m)-unknown-linux-gnu/release/cometchat-exporter" \
    && install -D --mode=644 /etc/ssl/certs/ca-certificates.crt /image/etc/ssl/certs/ca-certificates.crt \
    && install --directory /image/state

FROM scratch
ARG REVISION=unknown
ARG VERSION=0.1.0
LABEL org.opencontainers.image.title="cometchat-exporter" \
      org.opencontainers.image.description="Prometheus exporter for the CometChat Calls API that counts every call exactly once" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY LICENSE /LICENSE
COPY --from=build /image/bin /bin
COPY --from=build /image/etc /etc
# An empty volume takes over the owner of the folder.
COPY --from=build --chown=65532:65532 /image/state /var/lib/cometchat-exporter
WORKDIR /var/lib/cometchat-exporter
# glibc's allocator keeps memory apart by thread, and what is replaced again and again leaves holes in
# it, above all the text of an app, 72 KB. With hundreds of apps that is as much again.
ENV MALLOC_ARENA_MAX=2 MALLOC_MMAP_THRESHOLD_=65536
USER 65532:65532
# The state file lies in the working directory unless --state.path says otherwise.
VOLUME /var/lib/cometchat-exporter
EXPOSE 10180
# Asks the default address; with other --web.* flags give the same ones to `healthcheck` in one of your own.
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 CMD ["/bin/cometchat-exporter", "healthcheck"]
ENTRYPOINT ["/bin/cometchat-exporter"]
