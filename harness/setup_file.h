/*
 * GTKWave's set-ups that are written beside a waveform. They carry a check sum, so that one which the user has saved
 * from the viewer, edited or made himself is told from one of ours, and kept.
 */
#ifndef MMU86_SETUP_FILE_H
#define MMU86_SETUP_FILE_H

typedef enum {
  SETUP_WRITTEN,
  SETUP_KEPT,   /* another one is there, and stays */
  SETUP_FAILED, /* errno says why */
} setup_file_t;

/* What is said of a set-up that was kept, after its name. */
extern const char setup_file_kept[];

/* Writes a set-up, text, whole or not at all. */
setup_file_t setup_file_write(const char *path, const char *text);

#endif
