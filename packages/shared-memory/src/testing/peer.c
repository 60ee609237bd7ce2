/*
 * A participant of a ring that is not JavaScript, for the tests: it uses nothing but the header.
 *
 *     peer produce PATH FIRST COUNT   adds records "N:" and N modulo 500 times the letter of N
 *     peer consume PATH COUNT         checks COUNT such records, in order from 0
 *     peer hold PATH                  begins to write, prints "writing" and sleeps
 */
#define _GNU_SOURCE
#include "../../include/sidekit-ring.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static void fail(const char *call) {
  perror(call);
  exit(70);
}

static uint32_t fill(char *record, long number) {
  int head = sprintf(record, "%ld:", number);
  memset(record + head, 'a' + number % 26, number % 500);
  return head + number % 500;
}

static void produce(ring_t *ring, long first, long count) {
  char record[600];
  for (long i = first; i < first + count;) {
    if (ring_begin(ring) == 0) {
      int refused = ring_append(ring, record, fill(record, i)) != 0;
      ring_commit(ring);
      i += !refused;
      if (!refused) continue;
    }
    if (errno != EAGAIN) fail("produce");
    ring_wait_writable(ring);
  }
}

static void consume(ring_t *ring, long count) {
  char expected[600];
  for (long i = 0; i < count;) {
    const void *record;
    int64_t length = ring_next(ring, &record);
    if (length < 0 && errno != EAGAIN) fail("consume");
    if (length < 0) {
      ring_wait_readable(ring);
      continue;
    }
    if (length != fill(expected, i) || memcmp(record, expected, length) != 0) {
      fprintf(stderr, "record %ld differs: %.*s\n", i, (int)length, (const char *)record);
      exit(1);
    }
    i++;
    ring_release(ring);
  }
  puts("all there");
}

int main(int argc, char **argv) {
  if (argc < 3) return 64;
  int consuming = !strcmp(argv[1], "consume");
  ring_t ring;
  if (ring_open(&ring, argv[2], consuming) != 0) fail(argv[2]);
  if (consuming) {
    consume(&ring, atol(argv[3]));
  } else if (!strcmp(argv[1], "produce")) {
    produce(&ring, atol(argv[3]), atol(argv[4]));
  } else {
    if (ring_begin(&ring) != 0 || ring_append(&ring, "half", 4) != 0) fail("hold");
    puts("writing");
    fflush(stdout);
    pause();
  }
  ring_close(&ring);
  return 0;
}
