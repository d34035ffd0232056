#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "multiboot_priv.h"

bool file_fail(const file_t *file, error_t error, const char *format, ...) {
  char why[160];
  va_list args;
  va_start(args, format);
  vsnprintf(why, sizeof why, format, args);
  va_end(args);
  return machine_fail(error.text, error.bytes, "%s: %s: %s", file->what, file->path, why);
}

bool file_open(file_t *file, const char *what, const char *path, error_t error) {
  struct stat status;
  file->what = what;
  file->path = path;
  file->fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC); /* a FIFO must not block us */
  if (file->fd < 0) return file_fail(file, error, "%s", strerror(errno));
  const char *why = NULL;
  if (fstat(file->fd, &status) < 0)
    why = strerror(errno);
  else if (S_ISDIR(status.st_mode))
    why = "is a directory";
  else if (!S_ISREG(status.st_mode))
    why = "not a regular file";
  if (!why) {
    file->size = (uint64_t)status.st_size;
    return true;
  }
  file_close(file);
  return file_fail(file, error, "%s", why);
}

void file_close(file_t *file) {
  if (file->fd >= 0) close(file->fd);
  file->fd = -1;
}

bool file_read(const file_t *file, uint64_t offset, void *bytes, uint64_t n, error_t error) {
  uint8_t *p = bytes;
  while (n > 0) {
    ssize_t got = pread(file->fd, p, n, (off_t)offset);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return file_fail(file, error, "%s", strerror(errno));
    if (got == 0)
      return file_fail(file, error, "ends at offset %" PRIu64 " where %" PRIu64 " more bytes should be", offset, n);
    p += got;
    offset += (uint64_t)got;
    n -= (uint64_t)got;
  }
  return true;
}
