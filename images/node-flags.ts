/** How Node runs in every image; the Dockerfile's ENTRYPOINT says the same, and a test compares. */
export const NODE_FLAGS: readonly string[] = ['--max-semi-space-size=8'];
