/* Sends datagrams to a port of loopback, in turn those of a file with one to a line:
 * udp-sender PORT FILE RATE SECONDS. RATE is in datagrams a second; 0: as many as the kernel takes.
 * Prints how many were sent. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define LINES 1024
#define AT_ONCE 32

static double now(void) {
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  return at.tv_sec + at.tv_nsec / 1e9;
}

int main(int argc, char **argv) {
  static char texts[LINES][1024];
  static struct iovec parts[LINES];
  if (argc != 5) return 64;
  FILE *file = fopen(argv[2], "r");
  if (!file) return 66;
  int lines = 0;
  while (lines < LINES && fgets(texts[lines], sizeof texts[0], file)) {
    parts[lines].iov_base = texts[lines];
    parts[lines].iov_len = strcspn(texts[lines], "\n");
    lines++;
  }
  double rate = atof(argv[3]), seconds = atof(argv[4]);
  int socket_ = socket(AF_INET, SOCK_DGRAM, 0);
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[1]))};
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (lines == 0 || connect(socket_, (struct sockaddr *)&to, sizeof to) != 0) return 1;
  struct mmsghdr messages[AT_ONCE] = {0};
  double start = now();
  long sent = 0;
  for (double passed = 0; passed < seconds; passed = now() - start) {
    long due = rate == 0 ? AT_ONCE : (long)(passed * rate) - sent;
    if (due <= 0) {
      struct timespec pause = {0, 200000};
      nanosleep(&pause, NULL);
      continue;
    }
    int count = due < AT_ONCE ? (int)due : AT_ONCE;
    for (int i = 0; i < count; i++) {
      messages[i].msg_hdr.msg_iov = &parts[(sent + i) % lines];
      messages[i].msg_hdr.msg_iovlen = 1;
    }
    int taken = sendmmsg(socket_, messages, count, 0);
    if (taken > 0) sent += taken;
  }
  printf("%ld\n", sent);
  return 0;
}
