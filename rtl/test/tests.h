/* The port-level tests; each fails with a message and exit status 1. */
#ifndef MMU86_RTL_TESTS_H
#define MMU86_RTL_TESTS_H

void reset_state();
void reset_again();
void throughput();
void miss_cost();
void valid_waits_for_nobody();
void random_traffic();
void same_page_once();
void hits_under_a_walk();
void segment_faults();
void page_faults();
void fetch_rights();
void invalidations();
void kill_everywhere();
void kill_of_a_response();
void kill_of_no_fetch();
void kill_and_control();
void control_everywhere();
void touches_of_both_ports();
void on_whose_behalf();
void held_responses();
void refill_before_a_response();
void descriptor_loads();
void descriptor_faults();
void load_reasons();
void load_limits();
void load_selectors();
void verify_types();
void verify_selectors();
void verify_leaves_nothing();
void gates();
void gate_limits();
void io_bitmap();
void io_refusals();
void task_marks();
void task_staging();
void outer_registers();
void alignment();
void table_pages();
void table_rights();
void table_traffic();
void table_kills();
void table_resets();

#endif
