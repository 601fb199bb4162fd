# The API, on an empty base: the program, the shared libraries that it loads, and the public CA
# certificates. It does not contain the development tenant, so it cannot issue tokens.
#
#     docker build --tag todo-api .
#
# docs/DEPLOY.md says how to run it.

FROM rust:1.95-bookworm AS build
WORKDIR /source
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/source/target \
    cargo build --release --locked --package todo-api --no-default-features \
    && deploy/image-root target/release/todo-api /image /etc/ssl/certs/ca-certificates.crt

FROM scratch
COPY --from=build /image/root /
# The SQLite file is here. A new volume that is mounted here has the same owner.
COPY --from=build --chown=65532:65532 /image/state /var/lib/todo-api
WORKDIR /var/lib/todo-api
USER 65532:65532
ENV HOST=0.0.0.0
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s \
    CMD ["/usr/local/bin/todo-api", "healthcheck"]
ENTRYPOINT ["/usr/local/bin/todo-api"]
CMD ["serve"]
