#include "fst_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "gtkwave/fstapi.h"

bool fst_file_begin(fst_file_t *f, const char *path, char *error, unsigned error_bytes) {
  if (strlen(path) >= sizeof f->path || !output_places(path, f->target, f->partial)) {
    snprintf(error, error_bytes, "%s: cannot write the waveform: not a file", path);
    return false;
  }
  snprintf(f->path, sizeof f->path, "%s", path);
  FILE *probe = fopen(f->partial, "wb");
  if (probe && fclose(probe) == 0) return true;
  snprintf(error, error_bytes, "%s: cannot write the waveform: %s", path, strerror(errno));
  return false;
}

/* A big-endian 64-bit number of the file. */
static bool read64(FILE *file, uint64_t *value) {
  unsigned char bytes[8];
  if (fread(bytes, 1, sizeof bytes, file) != sizeof bytes) return false;
  *value = 0;
  for (unsigned i = 0; i < 8; i++)
    *value = *value << 8 | bytes[i];
  return true;
}

/* A whole file is a chain of blocks (a type, a length that counts itself) from the header to the end of the file, none
 * left open, with the hierarchy and the geometry of the signals among them. */
static bool is_whole(const char *path, uint64_t last) {
  FILE *file = fopen(path, "rb");
  if (!file) return false;
  fseek(file, 0, SEEK_END);
  const uint64_t size = (uint64_t)ftell(file);
  bool ok = size > 0, header = false, hierarchy = false, geometry = false;
  for (uint64_t at = 0, length = 0; ok && at < size; at += 1 + length) {
    fseek(file, (long)at, SEEK_SET);
    const int type = fgetc(file);
    ok = type != EOF && type != FST_BL_SKIP && read64(file, &length) && length >= 8 && length < size - at;
    uint64_t start = 0, end = 0;
    if (type == FST_BL_HDR) header = read64(file, &start) && read64(file, &end) && end == last;
    if (type == FST_BL_GEOM) geometry = true;
    if (type == FST_BL_HIER || type == FST_BL_HIER_LZ4 || type == FST_BL_HIER_LZ4DUO) hierarchy = true;
  }
  fclose(file);
  return ok && header && hierarchy && geometry;
}

/* The header has the time of day in 119 bytes at 202. */
static bool take_date_away(const char *path) {
  enum { AT = 202 };
  static const char date[119];
  FILE *file = fopen(path, "r+b");
  if (!file) return false;
  bool ok = fseek(file, AT, SEEK_SET) == 0 && fwrite(date, sizeof date, 1, file) == 1;
  return fclose(file) == 0 && ok;
}

bool fst_file_end(const fst_file_t *f, uint64_t last, char *error, unsigned error_bytes) {
  errno = 0;
  if (take_date_away(f->partial) && is_whole(f->partial, last) && rename(f->partial, f->target) == 0) return true;
  const char *why = errno ? strerror(errno) : "is the disk full?";
  snprintf(error, error_bytes, "%s: the waveform could not be written whole: %s", f->path, why);
  remove(f->partial);
  return false;
}

bool fst_file_to_vcd(const char *fst, const char *vcd, char *error, unsigned error_bytes) {
  fst_file_t place;
  if (!fst_file_begin(&place, vcd, error, error_bytes)) return false;
  void *reader = fstReaderOpen(fst);
  FILE *file = fopen(place.partial, "w");
  bool ok = reader && file && fstReaderProcessHier(reader, file);
  if (ok) {
    fstReaderSetFacProcessMaskAll(reader);
    ok = fstReaderIterBlocks(reader, NULL, NULL, file);
  }
  const char *why = reader ? strerror(errno) : "what was written for it is no FST file";
  if (file && (ferror(file) || fclose(file) != 0)) ok = false;
  if (reader) fstReaderClose(reader);
  if (ok && rename(place.partial, place.target) == 0) return true;
  snprintf(error, error_bytes, "%s: cannot write the waveform as VCD: %s", vcd, why);
  remove(place.partial);
  return false;
}
