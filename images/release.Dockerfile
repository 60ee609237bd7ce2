# Every image for every platform, for buildx: docker-bake.hcl. The same as base.Dockerfile and
# Dockerfile, one after the other, with a directory a platform; a test compares them.
FROM scratch AS base
ARG TARGETARCH
ADD ${TARGETARCH}/base/rootfs.tar /
ENV PATH=/nodejs/bin SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt

FROM base
ARG NAME
ARG TARGETARCH
COPY ${TARGETARCH}/${NAME}/app /app

# glibc keeps one memory arena a thread; two are enough and save some 10 MB.
ENV NODE_ENV=production MALLOC_ARENA_MAX=2
WORKDIR /
USER 65532:65532
ENTRYPOINT ["/nodejs/bin/node", "--max-semi-space-size=2", "/app/main.cjs"]
