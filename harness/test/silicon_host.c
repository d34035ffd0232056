#include "silicon_host.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static int run_child(const char *program, FILE *in, FILE *out) {
  pid_t child = fork();
  if (child < 0) return -1;
  if (child == 0) {
    if (dup2(fileno(in), 0) < 0 || dup2(fileno(out), 1) < 0) _exit(126);
    execl(program, program, (char *)NULL);
    _exit(127);
  }
  int status;
  return waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static const char *reason(int status, bool *broken) {
  switch (status) {
  case 0:
    return NULL;
  case 127:
    return "there is no 32-bit program: the compiler or the host has no -m32";
  case SILICON_NO_LDT:
    return "the kernel refuses modify_ldt";
  case SILICON_NO_MAP:
    return "the kernel does not map pages where they belong, or not executable";
  case SILICON_NO_TLS:
    return "the kernel refuses set_thread_area";
  default:
    *broken = true;
    return "the 32-bit program failed";
  }
}

static const char *exchange(const char *program, const silicon_case_t *cases, uint32_t n, silicon_host_t *host,
                            FILE *in, FILE *out) {
  silicon_header_t header = {.magic = SILICON_MAGIC,
                             .version = SILICON_VERSION,
                             .count = n,
                             .case_bytes = sizeof *cases,
                             .result_bytes = sizeof *host->results};
  if (fwrite(&header, sizeof header, 1, in) != 1 || fwrite(cases, sizeof *cases, n, in) != n || fflush(in))
    return "cannot write the cases";
  rewind(in);
  const char *why = reason(run_child(program, in, out), &host->broken);
  if (why) return why;
  rewind(out);
  if (fread(&host->header, sizeof host->header, 1, out) != 1 || host->header.version != SILICON_VERSION ||
      fread(host->results, sizeof *host->results, n, out) != n ||
      fread(&host->trailer, sizeof host->trailer, 1, out) != 1)
    return host->broken = true, "the 32-bit program gave too few results";
  return NULL;
}

const char *silicon_run_native(const char *program, const silicon_case_t *cases, uint32_t n, silicon_host_t *host) {
  FILE *in = tmpfile(), *out = tmpfile();
  host->results = calloc(n, sizeof *host->results);
  const char *why = "no temporary file";
  if (in && out && host->results) why = exchange(program, cases, n, host, in, out);
  if (in) fclose(in);
  if (out) fclose(out);
  return why;
}
