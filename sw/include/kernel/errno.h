/// Error numbers, as Linux on i386 has them. Functions return them negated.
#ifndef KERNEL_ERRNO_H
#define KERNEL_ERRNO_H

enum {
  EPERM = 1,
  ENOENT = 2,
  ESRCH = 3,
  EINTR = 4,
  EIO = 5,
  ENOEXEC = 8,
  EBADF = 9,
  ECHILD = 10,
  EAGAIN = 11,
  ENOMEM = 12,
  EACCES = 13,
  EFAULT = 14,
  EBUSY = 16,
  EEXIST = 17,
  EINVAL = 22,
  ENOSPC = 28,
  ENOSYS = 38,
};

#endif
