# The image of asa-operator: one static program, the roots of TLS, nothing else. Built by docker, podman and buildah; see
# docs/image.md.
#
# tools/image.sh replaces the first stage by a folder where its base cannot be pulled: --build-context build=FOLDER.
FROM docker.io/library/rust:1.95.0-bookworm AS build
ARG SOURCE_DATE_EPOCH
WORKDIR /src
COPY . .
RUN CARGO_TARGET_DIR=/target tools/image-programs.sh /programs

FROM scratch
ARG VERSION=0.0.0
ARG REVISION=unknown
ARG CREATED=1970-01-01T00:00:00Z
LABEL org.opencontainers.image.title="asa-operator" \
    org.opencontainers.image.description="A Kubernetes operator that keeps credentials for Apple's APIs alive" \
    org.opencontainers.image.licenses="Apache-2.0" \
    org.opencontainers.image.version="$VERSION" \
    org.opencontainers.image.revision="$REVISION" \
    org.opencontainers.image.created="$CREATED"
COPY --from=build /programs/ /
# Not root, and by number, so that runAsNonRoot can be checked.
USER 65532:65532
EXPOSE 8080
ENTRYPOINT ["/asa-operator"]
CMD ["run"]
