/*
 * The peer of bench/mq.ts: the plainest loops over a POSIX message queue, and a runner that says
 * what a command took.
 *
 *     peer produce QUEUE COUNT LENGTH   sends COUNT messages of LENGTH bytes
 *     peer consume QUEUE COUNT          receives COUNT messages, prints the seconds from the first
 *                                       to the last
 *     peer run COMMAND...               runs a command, prints its CPU seconds and peak RSS (KiB)
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <mqueue.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void fail(const char *what) {
  perror(what);
  exit(70);
}

static mqd_t open_queue(const char *name, int flags) {
  struct mq_attr attributes = {.mq_maxmsg = 10, .mq_msgsize = 1024};
  mqd_t queue = mq_open(name, flags | O_CREAT, 0600, &attributes);
  if (queue == (mqd_t)-1) fail("mq_open");
  return queue;
}

static double now(void) {
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  return at.tv_sec + at.tv_nsec / 1e9;
}

static int produce(const char *name, long count, size_t length) {
  mqd_t queue = open_queue(name, O_WRONLY);
  char message[1024];
  memset(message, 'x', sizeof message);
  for (long i = 0; i < count; i++)
    if (mq_send(queue, message, length, 0) != 0) fail("mq_send");
  return 0;
}

static int consume(const char *name, long count) {
  mqd_t queue = open_queue(name, O_RDONLY);
  char message[1024];
  double start = 0;
  for (long i = 0; i < count; i++) {
    if (mq_receive(queue, message, sizeof message, NULL) < 0) fail("mq_receive");
    if (i == 0) start = now();
  }
  printf("%.6f\n", now() - start);
  return 0;
}

static int run(char **command) {
  pid_t child = fork();
  if (child == 0) {
    execvp(command[0], command);
    fail(command[0]);
  }
  int status;
  struct rusage usage;
  if (wait4(child, &status, 0, &usage) < 0) fail("wait4");
  fprintf(stderr, "\nusage %ld.%06ld %ld.%06ld %ld\n", usage.ru_utime.tv_sec,
          usage.ru_utime.tv_usec, usage.ru_stime.tv_sec, usage.ru_stime.tv_usec, usage.ru_maxrss);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 70;
}

int main(int argc, char **argv) {
  if (argc == 5 && !strcmp(argv[1], "produce")) return produce(argv[2], atol(argv[3]), atol(argv[4]));
  if (argc == 4 && !strcmp(argv[1], "consume")) return consume(argv[2], atol(argv[3]));
  if (argc > 2 && !strcmp(argv[1], "run")) return run(argv + 2);
  fprintf(stderr, "see the head of peer.c\n");
  return 64;
}
