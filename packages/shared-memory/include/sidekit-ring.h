/*
 * The ring of @sidekit/shared-memory, layout version 1, for C11 on Linux: header only. The README
 * documents the layout. Every function returns 0 or a count, or -1 with errno: EAGAIN (full,
 * empty, or another producer is writing), EBUSY (all slots are taken), EPROTO (no ring, or
 * another version), EMSGSIZE, EBADMSG (a faulty peer broke the ring).
 *
 * A ring_t is used by one thread at a time.
 */
#ifndef SIDEKIT_RING_H
#define SIDEKIT_RING_H

#ifndef _GNU_SOURCE
#error "define _GNU_SOURCE before the first include: F_OFD_SETLK and syscall need it"
#endif
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define RING_MAGIC 0x42524b53u
#define RING_VERSION 1u
#define RING_HEADER 65536u
#define RING_SLOTS 64u
#define RING_CONSUMER 0u
#define RING_SLICE_NS 200000000L

/* Words of 32 bits in the header, by index. */
enum {
  RING_MAGIC_WORD = 0,
  RING_VERSION_WORD = 1,
  RING_HEADER_WORD = 2,
  RING_CAPACITY_WORD = 3,
  RING_TAIL = 32,
  RING_HEAD = 64,
  RING_DATA_EVENT = 96,
  RING_SPACE_EVENT = 128,
  RING_SPACE_WANTED = 160,
  RING_LOCK = 192,
  RING_LOCK_EVENT = 224,
  RING_GENERATIONS = 256,
};

typedef struct {
  _Atomic uint32_t *words;
  unsigned char *data; /* mapped twice in a row */
  uint32_t capacity;
  uint32_t token;
  int descriptor;
  uint32_t tail;     /* producer: as published; consumer: as seen last */
  uint32_t next;     /* behind the last record that was appended or found */
  uint32_t released; /* consumer: the head */
  uint32_t wanted;   /* producer: bytes that did not fit last */
} ring_t;

static inline uint32_t ring_record_size(uint32_t length) { return 4 + ((length + 3) & ~3u); }

static inline int ring_file_lock(ring_t *ring, int command, short type, uint32_t slot,
                                 short *found) {
  struct flock lock = {.l_type = type, .l_whence = SEEK_SET,
                       .l_start = (RING_GENERATIONS + slot) * 4, .l_len = 4};
  int result = fcntl(ring->descriptor, command, &lock);
  if (found) *found = lock.l_type;
  return result;
}

static inline void ring_close(ring_t *ring) {
  munmap((void *)ring->words, RING_HEADER + 2 * (size_t)ring->capacity);
  close(ring->descriptor);
}

/* Opens the existing ring at `path` (/dev/shm/NAME); `consumer` says which side. */
static inline int ring_open(ring_t *ring, const char *path, int consumer) {
  memset(ring, 0, sizeof *ring);
  ring->descriptor = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (ring->descriptor < 0) return -1;
  uint32_t header[4];
  struct stat status;
  int error = EPROTO;
  if (fstat(ring->descriptor, &status) != 0 ||
      pread(ring->descriptor, header, sizeof header, 0) != sizeof header)
    goto fail;
  uint32_t capacity = header[RING_CAPACITY_WORD];
  if (header[RING_MAGIC_WORD] != RING_MAGIC || header[RING_VERSION_WORD] != RING_VERSION ||
      header[RING_HEADER_WORD] != RING_HEADER || capacity < 65536 || capacity > (1u << 30) ||
      (capacity & (capacity - 1)) || status.st_size < (off_t)RING_HEADER + capacity)
    goto fail;
  ring->capacity = capacity;
  size_t length = RING_HEADER + 2 * (size_t)capacity;
  char *at = mmap(NULL, length, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  error = ENOMEM;
  if (at == MAP_FAILED) goto fail;
  ring->words = (_Atomic uint32_t *)at;
  ring->data = (unsigned char *)at + RING_HEADER;
  if (mmap(at, RING_HEADER + (size_t)capacity, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
           ring->descriptor, 0) == MAP_FAILED ||
      mmap(at + RING_HEADER + capacity, capacity, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
           ring->descriptor, RING_HEADER) == MAP_FAILED) {
    ring_close(ring);
    errno = error;
    return -1;
  }
  uint32_t slot = consumer ? RING_CONSUMER : 1;
  uint32_t last = consumer ? RING_CONSUMER : RING_SLOTS - 1;
  while (ring_file_lock(ring, F_OFD_SETLK, F_WRLCK, slot, NULL) != 0) {
    if (slot++ < last) continue;
    ring_close(ring);
    errno = EBUSY;
    return -1;
  }
  uint32_t generation = atomic_load(&ring->words[RING_GENERATIONS + slot]);
  generation = (generation & 0xffffff) % 0xffffff + 1;
  atomic_store(&ring->words[RING_GENERATIONS + slot], generation);
  ring->token = slot << 24 | generation;
  ring->released = atomic_load(&ring->words[RING_HEAD]);
  ring->next = ring->tail = ring->released;
  return 0;
fail:
  close(ring->descriptor);
  errno = error;
  return -1;
}

/* Events: one word each, its lowest bit says that somebody waits. */
static inline uint32_t ring_arm(ring_t *ring, int event) {
  uint32_t value = atomic_load(&ring->words[event]), seen = value;
  /* If this fails, the wait for a value that is not there any more ends at once. */
  if (!(value & 1)) atomic_compare_exchange_strong(&ring->words[event], &seen, value | 1);
  return value | 1;
}

static inline void ring_signal(ring_t *ring, int event) {
  uint32_t value = atomic_load(&ring->words[event]);
  if ((value & 1) && atomic_compare_exchange_strong(&ring->words[event], &value, value + 1))
    syscall(SYS_futex, &ring->words[event], FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

static inline void ring_sleep(ring_t *ring, int event, uint32_t expected) {
  struct timespec slice = {.tv_nsec = RING_SLICE_NS};
  syscall(SYS_futex, &ring->words[event], FUTEX_WAIT, expected, &slice, NULL, 0);
}

static inline int ring_abandoned(ring_t *ring, uint32_t token) {
  uint32_t slot = token >> 24, generation = token & 0xffffff;
  short found = F_WRLCK;
  if (slot >= RING_SLOTS || generation == 0) return 1;
  if (atomic_load(&ring->words[RING_GENERATIONS + slot]) != generation) return 1;
  return ring_file_lock(ring, F_OFD_GETLK, F_RDLCK, slot, &found) == 0 && found == F_UNLCK;
}

static inline int ring_lock(ring_t *ring) {
  uint32_t seen = 0;
  for (int i = 0; i < 64; i++) {
    seen = 0;
    if (atomic_compare_exchange_strong(&ring->words[RING_LOCK], &seen, ring->token)) return 0;
  }
  if (ring_abandoned(ring, seen) &&
      atomic_compare_exchange_strong(&ring->words[RING_LOCK], &seen, ring->token))
    return 0;
  errno = EAGAIN;
  return -1;
}

static inline void ring_unlock(ring_t *ring) {
  uint32_t token = ring->token;
  atomic_compare_exchange_strong(&ring->words[RING_LOCK], &token, 0);
  ring_signal(ring, RING_LOCK_EVENT);
}

static inline int ring_plausible(ring_t *ring, uint32_t head, uint32_t tail) {
  return ((head | tail) & 3) == 0 && tail - head <= ring->capacity;
}

/* Producer: ring_begin, any number of ring_append, ring_commit. */
static inline int ring_begin(ring_t *ring) {
  ring->wanted = 0;
  if (ring_lock(ring) != 0) return -1;
  ring->next = ring->tail = atomic_load(&ring->words[RING_TAIL]);
  ring->released = atomic_load(&ring->words[RING_HEAD]);
  if (ring_plausible(ring, ring->released, ring->tail)) return 0;
  ring_unlock(ring);
  errno = EBADMSG;
  return -1;
}

static inline int ring_append(ring_t *ring, const void *record, uint32_t length) {
  if (length > ring->capacity - 4) return errno = EMSGSIZE, -1;
  uint32_t size = ring_record_size(length);
  if (size > ring->capacity - (ring->next - ring->released)) {
    uint32_t head = atomic_load(&ring->words[RING_HEAD]);
    if (!ring_plausible(ring, head, ring->next) || size > ring->capacity - (ring->next - head)) {
      ring->wanted = size;
      return errno = EAGAIN, -1;
    }
    ring->released = head;
  }
  unsigned char *at = ring->data + (ring->next & (ring->capacity - 1));
  memcpy(at, &length, 4);
  memcpy(at + 4, record, length);
  ring->next += size;
  return 0;
}

static inline void ring_commit(ring_t *ring) {
  int published = ring->next != ring->tail;
  if (published) atomic_store(&ring->words[RING_TAIL], ring->next);
  ring_unlock(ring);
  if (published) ring_signal(ring, RING_DATA_EVENT);
}

/* Waits up to 200 ms for what ring_begin or ring_append lacked; then try again. */
static inline void ring_wait_writable(ring_t *ring) {
  if (ring->wanted == 0) {
    uint32_t expected = ring_arm(ring, RING_LOCK_EVENT);
    uint32_t seen = atomic_load(&ring->words[RING_LOCK]);
    if (seen != 0 && !ring_abandoned(ring, seen)) ring_sleep(ring, RING_LOCK_EVENT, expected);
    return;
  }
  uint32_t wanted = atomic_load(&ring->words[RING_SPACE_WANTED]);
  if (wanted < ring->wanted)
    atomic_compare_exchange_strong(&ring->words[RING_SPACE_WANTED], &wanted, ring->wanted);
  uint32_t expected = ring_arm(ring, RING_SPACE_EVENT);
  uint32_t head = atomic_load(&ring->words[RING_HEAD]);
  uint32_t used = atomic_load(&ring->words[RING_TAIL]) - head;
  if (used <= ring->capacity && ring->capacity - used < ring->wanted)
    ring_sleep(ring, RING_SPACE_EVENT, expected);
}

/* Consumer: empties a ring whose contents contradict each other. */
static inline int ring_repair(ring_t *ring) {
  if (ring_lock(ring) == 0) {
    uint32_t tail = atomic_load(&ring->words[RING_TAIL]) & ~3u;
    atomic_store(&ring->words[RING_TAIL], tail);
    atomic_store(&ring->words[RING_HEAD], tail);
    ring->released = ring->next = ring->tail = tail;
    ring_unlock(ring);
    ring_signal(ring, RING_SPACE_EVENT);
  }
  errno = EBADMSG;
  return -1;
}

/* Consumer: finds the next record; it stays valid until ring_release. Returns its length. */
static inline int64_t ring_next(ring_t *ring, const void **record) {
  if (ring->next == ring->tail) {
    uint32_t tail = atomic_load(&ring->words[RING_TAIL]);
    if (!ring_plausible(ring, ring->released, tail) ||
        tail - ring->released < ring->next - ring->released)
      return ring_repair(ring);
    ring->tail = tail;
  }
  uint32_t left = ring->tail - ring->next, length;
  if (left == 0) return errno = EAGAIN, -1;
  const unsigned char *at = ring->data + (ring->next & (ring->capacity - 1));
  memcpy(&length, at, 4);
  if (length > left - 4 || ring_record_size(length) > left) return ring_repair(ring);
  *record = at + 4;
  ring->next += ring_record_size(length);
  return length;
}

static inline void ring_release(ring_t *ring) {
  if (ring->next == ring->released) return;
  ring->released = ring->next;
  atomic_store(&ring->words[RING_HEAD], ring->released);
  if (!(atomic_load(&ring->words[RING_SPACE_EVENT]) & 1)) return;
  uint32_t need = atomic_load(&ring->words[RING_SPACE_WANTED]);
  if (need < ring->capacity / 2) need = ring->capacity / 2;
  if (need > ring->capacity) need = ring->capacity;
  if (ring->capacity - (ring->tail - ring->released) < need) return;
  atomic_store(&ring->words[RING_SPACE_WANTED], 0);
  ring_signal(ring, RING_SPACE_EVENT);
}

/* Waits up to 200 ms for a record; then try again. */
static inline void ring_wait_readable(ring_t *ring) {
  uint32_t expected = ring_arm(ring, RING_DATA_EVENT);
  if (atomic_load(&ring->words[RING_TAIL]) == ring->next)
    ring_sleep(ring, RING_DATA_EVENT, expected);
}

#endif
