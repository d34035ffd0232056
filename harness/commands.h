/*
 * The commands of mmu86. Each takes the program's name and the arguments behind its own, and returns the exit status.
 */
#ifndef MMU86_COMMANDS_H
#define MMU86_COMMANDS_H

int cmd_run(int argc, char **argv);
int cmd_gdb(int argc, char **argv);
int cmd_replay(int argc, char **argv);
int cmd_shrink(int argc, char **argv);
int cmd_sweep(int argc, char **argv);
int cmd_explain(int argc, char **argv);
int cmd_fuzz(int argc, char **argv);
int cmd_bench(int argc, char **argv);
int cmd_coverage(int argc, char **argv);
int cmd_diff(int argc, char **argv);
int cmd_report(int argc, char **argv);

/* Prints the help text of a command. */
void cmd_run_help(void);
void cmd_gdb_help(void);
void cmd_replay_help(void);
void cmd_shrink_help(void);
void cmd_sweep_help(void);
void cmd_explain_help(void);
void cmd_fuzz_help(void);
void cmd_bench_help(void);
void cmd_coverage_help(void);
void cmd_diff_help(void);
void cmd_report_help(void);

#endif
