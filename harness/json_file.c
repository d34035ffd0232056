#include "json_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "output.h"

/* Returns 0 or an errno. */
static int write_file(FILE *file, const json_t *root) {
  errno = 0;
  bool ok = json_dumpf(root, file, JSON_INDENT(2)) == 0 && fputc('\n', file) != EOF && fflush(file) == 0;
  return ok ? 0 : errno ? errno : EIO;
}

/* Writes to a name; stdout for "-". Returns 0 or an errno. */
static int write_name(const char *name, const json_t *root) {
  if (strcmp(name, "-") == 0) return write_file(stdout, root);
  FILE *file = fopen(name, "w");
  if (!file) return errno;
  int failure = write_file(file, root);
  if (fclose(file) != 0 && !failure) failure = errno;
  return failure;
}

/* Whether an object is what a command writes: each kind of result has one of these. */
static bool is_result(const json_t *root) {
  static const struct {
    const char *key;
    json_type type;
  } marks[] = {{"verdict", JSON_STRING}, /* run, replay, fuzz, sweep, shrink, regress */
               {"rounds", JSON_INTEGER}, /* bench */
               {"format", JSON_STRING},  /* coverage, as it is counted; as it is reported; of the code alone */
               {"groups", JSON_ARRAY},   {"functional", JSON_OBJECT}, {"rtl_line", JSON_OBJECT}};
  for (unsigned i = 0; i < sizeof marks / sizeof *marks; i++) {
    const json_t *value = json_object_get(root, marks[i].key);
    if (value && json_typeof(value) == marks[i].type) return true;
  }
  return false;
}

json_t *json_read(const char *path, char *error, unsigned error_bytes) {
  json_error_t where;
  FILE *file = fopen(path, "r");
  if (!file) {
    snprintf(error, error_bytes, "%s: cannot open: %s", path, strerror(errno));
    return NULL;
  }
  errno = 0;
  int first = fgetc(file);
  if (first != EOF) ungetc(first, file);
  json_t *root = first == EOF ? NULL : json_loadf(file, JSON_REJECT_DUPLICATES, &where);
  if (ferror(file))
    snprintf(error, error_bytes, "%s: cannot read: %s", path, strerror(errno ? errno : EIO));
  else if (first == EOF)
    snprintf(error, error_bytes, "%s: is empty, not a JSON result", path);
  else if (!root)
    snprintf(error, error_bytes, "%s: line %d: not JSON: %s", path, where.line, where.text);
  else if (!json_is_object(root))
    snprintf(error, error_bytes, "%s: is no result of mmu86: not a JSON object", path);
  else if (!is_result(root))
    snprintf(error, error_bytes, "%s: is no result of mmu86: it has neither verdict, nor rounds, nor coverage", path);
  fclose(file);
  if (is_result(root)) return root;
  json_decref(root);
  return NULL;
}

bool json_write(const char *path, const json_t *root, char *error, unsigned error_bytes) {
  char target[OUTPUT_PATH], partial[OUTPUT_PATH];
  /* What cannot be renamed onto, such as a device or a pipe, is written directly. */
  bool plain = strcmp(path, "-") != 0 && output_places(path, target, partial);
  int failure = write_name(plain ? partial : path, root);
  if (!failure && plain && rename(partial, target) != 0) failure = errno;
  if (!failure) return true;
  if (plain) remove(partial);
  snprintf(error, error_bytes, "%s: cannot write the result: %s", path, strerror(failure));
  return false;
}
