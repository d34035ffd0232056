#include "gdb_server.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "interrupt.h"

enum { POLL_MS = 200 }; /* between looks at signals */

int gdb_listen(uint16_t *port, char *error, unsigned error_bytes) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(*port)};
  socklen_t length = sizeof address;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  bool ok = fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int)) == 0 &&
            bind(fd, (struct sockaddr *)&address, sizeof address) == 0 && listen(fd, 1) == 0 &&
            getsockname(fd, (struct sockaddr *)&address, &length) == 0;
  if (ok) {
    *port = ntohs(address.sin_port);
    return fd;
  }
  snprintf(error, error_bytes, "127.0.0.1:%u: cannot listen for GDB: %s", *port, strerror(errno));
  if (fd >= 0) close(fd);
  return -1;
}

/* Waits for input. Returns 1 if there is some or the peer has gone, 0 if not yet, -1 after an error. */
static int wait_readable(int fd, int milliseconds) {
  struct pollfd p = {.fd = fd, .events = POLLIN};
  int n = poll(&p, 1, milliseconds);
  return n < 0 && errno == EINTR ? 0 : n;
}

int gdb_accept(int listener) {
  int fd = -1;
  while (fd < 0 && !interrupt_pending()) {
    int ready = wait_readable(listener, POLL_MS);
    if (ready < 0) break;
    if (ready > 0) fd = accept(listener, NULL, NULL);
  }
  close(listener);
  if (fd >= 0) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
  return fd;
}

bool gdb_transmit(int connection, const void *bytes, size_t n) {
  const char *p = bytes;
  while (n > 0) {
    ssize_t sent = send(connection, p, n, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR && !interrupt_pending()) continue;
    if (sent <= 0) return false;
    p += sent;
    n -= (size_t)sent;
  }
  return true;
}

/* Takes what GDB has sent. Returns false once the connection is lost. */
static bool receive(gdb_t *gdb, int connection, int milliseconds, gdb_state_t *state) {
  uint8_t bytes[4096];
  int ready = wait_readable(connection, milliseconds);
  if (ready == 0) return true;
  ssize_t n = ready < 0 ? -1 : recv(connection, bytes, sizeof bytes, 0);
  if (n < 0 && errno == EINTR) return true;
  if (n <= 0) return false;
  *state = gdb_input(gdb, bytes, (size_t)n);
  return true;
}

/* The last packet is not to be lost because of bytes that nobody read: GDB closes first, or a second goes by. */
static void hang_up(int connection) {
  uint8_t ignored[256];
  shutdown(connection, SHUT_WR);
  for (int i = 0; i < 10 && wait_readable(connection, 100) >= 0; i++)
    if (recv(connection, ignored, sizeof ignored, MSG_DONTWAIT) == 0) break;
  close(connection);
}

gdb_state_t gdb_serve(gdb_t *gdb, int connection) {
  gdb_state_t state = GDB_STOPPED;
  bool connected = true;
  while (connected && (state == GDB_STOPPED || state == GDB_RUNNING)) {
    if (state == GDB_STOPPED && interrupt_pending()) break;
    connected = receive(gdb, connection, state == GDB_RUNNING ? 0 : POLL_MS, &state);
    if (connected && state == GDB_RUNNING) state = gdb_run(gdb);
  }
  hang_up(connection);
  return state;
}
