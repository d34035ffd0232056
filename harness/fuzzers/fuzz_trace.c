/*
 * A trace file of a stranger: mmu86 replay FILE, with the reference alone.
 */
#include "commands.h"
#include "fuzz.h"
#include "options.h"
#include "trace.h"

/* Reads it once to see each record, and what is said of a bad one. Returns false if it is too long a trace to replay.
 */
static bool look(const char *path) {
  enum { RECORDS_MAX = 20000 };
  static trace_header_t header;
  char error[512] = "";
  trace_record_t record;
  trace_status_t status;
  unsigned records = 0;
  trace_reader_t *reader = trace_open(path, &header, error, sizeof error);
  if (!reader) {
    fuzz_demand_line(error);
    return true;
  }
  while (records < RECORDS_MAX && (status = trace_read(reader, &record)) == TRACE_OK) {
    records++;
    if (record.kind != TRACE_LOAD || record.size == 0) continue;
    volatile uint8_t last = record.bytes[record.size - 1]; /* its bytes are there */
    (void)last;
  }
  if (records < RECORDS_MAX && status == TRACE_CORRUPT) fuzz_demand_line(trace_error(reader));
  trace_close(reader);
  return records < RECORDS_MAX;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const char *path = fuzz_file(0, data, size, 0);
  if (!look(path)) return 0;
  char *argv[] = {"mmu86", (char *)path, "--dut", "none", "--quiet", NULL};
  fuzz_listen();
  int status = cmd_replay(5, argv);
  fuzz_demand_lines(fuzz_heard(), 1);
  fuzz_demand(status == EXIT_PASS || status == EXIT_BAD_INPUT, "a replay ends well or with bad input");
  return 0;
}
