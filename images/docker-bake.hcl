# The release build: every image for every platform, by the Dockerfile that local builds use. What
# goes in is made first, by `npm run images -- --bundles-only`:
#   dist/bundles/PLATFORM/NAME/app             the sidecar's bundle and its code cache
# No step runs a program of the other platform.

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
    ambassador  = "Reverse proxy in front of the app, and local endpoint for external services"
    adapter     = "Log adapter"
    coordinator = "Drives the lifecycle of the other containers of a Pod by a plan"
    file-writer = "Writes complete files or none"
    git-server  = "Demo git server over smart HTTP"
    mq          = "Producer and consumer over a POSIX message queue or shared memory"
    wait-for    = "Waits for queues, ports, URLs, files and names"
    webapp      = "Demo application"
  }
}

target "default" {
  name       = image
  matrix     = { image = keys(IMAGES) }
  context    = "dist/bundles"
  dockerfile = "../../images/Dockerfile"
  args = {
    NAME    = image
    TITLE   = IMAGES[image]
    VERSION = trimprefix(VERSION, "v")
    # Files and layers are the same whenever they are built.
    SOURCE_DATE_EPOCH = "0"
  }
  tags      = ["${REGISTRY}/${image}:${trimprefix(VERSION, "v")}"]
  platforms = ["linux/amd64", "linux/arm64"]
  attest    = ["type=sbom", "type=provenance,mode=max"]
  labels = {
    "org.opencontainers.image.revision" = REVISION
    "org.opencontainers.image.source"   = SOURCE
  }
}
