// What Check suites under SystemC share. A simulation cannot begin twice in a process: each test has one of its own, as
// Check forks. main is sc_suite.cpp's.

#ifndef MMU86_SC_SUITE_H
#define MMU86_SC_SUITE_H

#include <initializer_list>
#include <systemc>

#include <check.h> // has a macro fail: after everything of C++

// Runs tests; the last one count times, with _i. Returns the exit status.
int sc_suite(const char *name, std::initializer_list<const TTest *> tests, int count = 1);

#endif
