# The release build: every image for every platform, on the base that is tested here too. What goes
# in is made first, on any machine, by `npm run images -- --bundles-only`:
#   dist/bundles/PLATFORM/base/rootfs.tar      made of Debian's packages and npm's Node
#   dist/bundles/PLATFORM/NAME/app             the sidecar's bundle
# No step runs a program of the other platform, so no emulation is needed.

variable "REGISTRY" {
  default = "docker.io/sidekit"
}

# A version, or the tag of one: v0.1.0.
variable "VERSION" {
  default = "0.0.0-dev"
}

variable "REVISION" {
  default = ""
}

variable "SOURCE" {
  default = ""
}

variable "IMAGES" {
  default = {
    ambassador  = "Reverse proxy in front of the app, and local door to services outside"
    adapter     = "Log adapter"
    file-writer = "Writes files whole or not at all"
    git-server  = "Demo git server over smart HTTP"
    mq          = "Producer and consumer over a POSIX message queue"
    wait-for    = "Waits for queues, ports, URLs, files and names"
    webapp      = "Demo application"
  }
}

target "default" {
  name       = image
  matrix     = { image = keys(IMAGES) }
  context    = "dist/bundles"
  dockerfile = "../../images/release.Dockerfile"
  args = {
    NAME = image
    # Files and layers are the same whenever they are built.
    SOURCE_DATE_EPOCH = "0"
  }
  tags      = ["${REGISTRY}/${image}:${trimprefix(VERSION, "v")}"]
  platforms = ["linux/amd64", "linux/arm64"]
  attest    = ["type=sbom", "type=provenance,mode=max"]
  labels = {
    "org.opencontainers.image.title"       = "sidekit/${image}"
    "org.opencontainers.image.description" = IMAGES[image]
    "org.opencontainers.image.version"     = trimprefix(VERSION, "v")
    "org.opencontainers.image.licenses"    = "Apache-2.0"
    "org.opencontainers.image.vendor"      = "sidekit"
    "org.opencontainers.image.revision"    = REVISION
    "org.opencontainers.image.source"      = SOURCE
  }
}
