/// Circular doubly linked lists, as Linux has them: a list_head in each element, one more as the head.
#ifndef KERNEL_LIST_H
#define KERNEL_LIST_H

#include <kernel/kernel.h>

struct list_head {
  struct list_head *next, *prev;
};

static inline void INIT_LIST_HEAD(struct list_head *list) {
  list->next = list->prev = list;
}
static inline bool list_empty(const struct list_head *head) {
  return head->next == head;
}

static inline void list_insert(struct list_head *entry, struct list_head *prev, struct list_head *next) {
  next->prev = entry;
  entry->next = next;
  entry->prev = prev;
  prev->next = entry;
}

/// `entry` becomes the first element.
static inline void list_add(struct list_head *entry, struct list_head *head) {
  list_insert(entry, head, head->next);
}

/// `entry` becomes the last element.
static inline void list_add_tail(struct list_head *entry, struct list_head *head) {
  list_insert(entry, head->prev, head);
}

/// Takes `entry` out and leaves it an empty list.
static inline void list_del(struct list_head *entry) {
  entry->next->prev = entry->prev;
  entry->prev->next = entry->next;
  INIT_LIST_HEAD(entry);
}

static inline void list_move(struct list_head *entry, struct list_head *head) {
  list_del(entry);
  list_add(entry, head);
}

#define list_entry(ptr, type, member) container_of(ptr, type, member)

#define list_for_each(at, head) for (struct list_head *at = (head)->next; at != (head); at = at->next)

/// As list_for_each; the body may take `at` out of the list.
#define list_for_each_safe(at, after, head)                                                                            \
  for (struct list_head *at = (head)->next, *after = at->next; at != (head); at = after, after = at->next)

#endif
