/// Per-CPU data: each processor's copy is its own, static or not, and who has it may not sleep.
#include <kernel/percpu.h>
#include <kernel/sched.h>
#include <kernel/slab.h>
#include <kernel/workload.h>

struct counter {
  u32 hits, sum;
  u8 padding[40];
};

static DEFINE_PER_CPU(struct counter, test_counter) = {0, 1000, {0}};
static DEFINE_PER_CPU(u32, test_word);

/// Counts on whatever processor it is.
static void count(u32 value) {
  struct counter *counter = &get_cpu_var(test_counter);
  counter->hits++;
  counter->sum += value;
  CHECK(in_atomic());
  put_cpu_var(test_counter);
}

static int count_in_a_task(void *times) {
  for (u32 i = *(u32 *)times; i; i--) {
    CHECK(smp_processor_id() == current->cpu);
    count(1);
    if (i % 8 == 0) yield();
  }
  return 0;
}

static void static_copies(void) {
  u32 expected[NR_CPUS] = {0}, wrong = 0;

  for_each_possible_cpu(cpu) {
    CHECK(per_cpu(cpu_number, cpu) == cpu);
    per_cpu(test_counter, cpu).hits = 0;
    per_cpu(test_counter, cpu).sum = 1000;
  }
  for (unsigned long i = rounds(4000); i; i--) {
    unsigned cpu = random_below(nr_cpu_ids);
    switch_cpu(cpu);
    count((u32)i);
    expected[cpu] += (u32)i;
    wrong += get_cpu() != cpu;
    put_cpu();
  }
  CHECK(!wrong);
  for_each_possible_cpu(cpu) CHECK(per_cpu(test_counter, cpu).sum == 1000 + expected[cpu]);
}

/// Tasks of several processors; each finds its own copy after every switch.
static void tasks(void) {
  u32 times = (u32)rounds(400), hits = 0, before = 0;

  for_each_possible_cpu(cpu) before += per_cpu(test_counter, cpu).hits;
  for (int i = 0; i < 6; i++)
    CHECK(kernel_thread("counter", count_in_a_task, &times) > 0);
  for (int i = 0; i < 6; i++) {
    int status = -1;
    CHECK(do_wait(-1, &status) > 0 && status == 0);
  }
  for_each_possible_cpu(cpu) hits += per_cpu(test_counter, cpu).hits;
  CHECK(hits - before == 6 * times);
}

static void dynamic_copies(void) {
  struct counter *counters[8];

  for (int i = 0; i < 8; i++)
    counters[i] = need(alloc_percpu(struct counter));
  for (unsigned long n = rounds(1000); n; n--) {
    switch_cpu(random_below(nr_cpu_ids));
    per_cpu_ptr(counters[n % 8], get_cpu())->sum += (u32)n;
    put_cpu();
  }
  u32 sum = 0, expected = 0;
  for (int i = 0; i < 8; i++)
    for_each_possible_cpu(cpu) {
      sum += per_cpu_ptr(counters[i], cpu)->sum;
      CHECK(!per_cpu_ptr(counters[i], cpu)->hits);
      for (unsigned other = 0; other < cpu; other++)
        CHECK(per_cpu_ptr(counters[i], cpu) != per_cpu_ptr(counters[i], other));
    }
  for (u32 n = (u32)rounds(1000); n; n--)
    expected += n;
  CHECK(sum == expected);
  for (int i = 0; i < 8; i++)
    free_percpu(counters[i]);
  free_percpu(NULL);
}

/// Who has disabled preemption may not sleep: not wait, not give up the processor, not allocate with __GFP_WAIT.
static void planted_errors(void) {
  unsigned long before = nr_atomic_sleeps();

  CHECK(!in_atomic() && preempt_count() == 0);
  get_cpu_var(test_word) = 1;
  CHECK(preempt_count() == 1);
  kfree(need(kmalloc(10, GFP_ATOMIC)));
  CHECK(nr_atomic_sleeps() == before);
  kfree(need(kmalloc(10, GFP_KERNEL)));
  CHECK(nr_atomic_sleeps() == before + 1);
  yield();
  CHECK(nr_atomic_sleeps() == before + 2);
  put_cpu_var(test_word);
  yield();
  CHECK(nr_atomic_sleeps() == before + 2 && !in_atomic());
}

void workload_percpu(void) {
  static_copies();
  switch_cpu(0);
  tasks();
  dynamic_copies();
  switch_cpu(0);
  planted_errors();
}
