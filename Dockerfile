# The program and the four libraries that it is linked with, and nothing else: no shell, no package manager, nobody but a user without rights.
# docs/deploy.md says how to run it.

FROM debian:trixie AS build
RUN apt-get update && apt-get install -y --no-install-recommends build-essential ca-certificates curl git make nodejs npm rustup && rm -rf /var/lib/apt/lists/*
RUN rustup default 1.95
WORKDIR /source
COPY . .
RUN make build
# Certificate authorities are compiled in, and glibc asks name servers without further files.
RUN mkdir -p /image/usr/local/bin /image/config /image/data \
    && cp target/release/mediamanager-auth /image/usr/local/bin/ \
    && cp --parents --dereference $(ldd target/release/mediamanager-auth | grep -o '/[^ ]*') /image/ \
    && chown -R 65532:65532 /image/data

FROM scratch
COPY --from=build /image /
USER 65532:65532
# The database is data/mediamanager-auth.db from here. It is the only place that is written to: everything else may be read-only.
WORKDIR /
VOLUME /data
ENV CONFIG_DIR=/config MEDIAMANAGER_SERVER__HOST=0.0.0.0
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s CMD ["/usr/local/bin/mediamanager-auth", "healthcheck"]
ENTRYPOINT ["/usr/local/bin/mediamanager-auth"]
