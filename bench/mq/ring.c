/*
 * The ring of @sidekit/shared-memory with both sides in C, for bench/mq.ts. The ring at
 * /dev/shm/NAME exists already.
 *
 *     ring produce NAME COUNT LENGTH   adds COUNT records of LENGTH bytes, one at a time
 *     ring consume NAME COUNT          takes COUNT records out, one at a time, prints the seconds
 *                                    from the first to the last
 */
#define _GNU_SOURCE
#include "../../packages/shared-memory/include/sidekit-ring.h"
#include <stdio.h>
#include <stdlib.h>

static void fail(const char *call) {
  perror(call);
  exit(70);
}

static double now(void) {
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  return at.tv_sec + at.tv_nsec / 1e9;
}

static int produce(ring_t *ring, long count, uint32_t length) {
  char *record = malloc(length + 1);
  if (!record) fail("malloc");
  memset(record, 'x', length);
  while (count > 0) {
    if (ring_begin(ring) == 0) {
      int refused = ring_append(ring, record, length) != 0;
      ring_commit(ring);
      count -= !refused;
      if (!refused) continue;
    }
    if (errno != EAGAIN) fail("produce");
    ring_wait_writable(ring);
  }
  free(record);
  return 0;
}

static int consume(ring_t *ring, long count) {
  char copy[1 << 16];
  double start = 0;
  for (long i = 0; i < count;) {
    const void *record;
    int64_t length = ring_next(ring, &record);
    if (length < 0) {
      if (errno != EAGAIN) fail("consume");
      ring_wait_readable(ring);
      continue;
    }
    memcpy(copy, record, (size_t)length < sizeof copy ? (size_t)length : sizeof copy);
    if (i++ == 0) start = now();
    ring_release(ring);
  }
  printf("%.6f\n", now() - start);
  return 0;
}

int main(int argc, char **argv) {
  char path[300];
  int producing = argc == 5 && !strcmp(argv[1], "produce");
  if (!producing && !(argc == 4 && !strcmp(argv[1], "consume"))) {
    fprintf(stderr, "see the head of ring.c\n");
    return 64;
  }
  snprintf(path, sizeof path, "/dev/shm/%s", argv[2] + (argv[2][0] == '/'));
  ring_t ring;
  if (ring_open(&ring, path, !producing) != 0) fail(path);
  return producing ? produce(&ring, atol(argv[3]), atol(argv[4])) : consume(&ring, atol(argv[3]));
}
