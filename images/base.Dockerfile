# The base for builds without a registry: the libraries that Node needs, from Debian's packages,
# and the Node binary of npm's `node` package. Its content is made by base-rootfs.ts.
FROM scratch
ADD rootfs.tar /
ENV PATH=/nodejs/bin SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
USER 65532:65532
ENTRYPOINT ["/nodejs/bin/node"]
