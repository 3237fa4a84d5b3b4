/* The greylist: which client addresses were seen first, and when. It lies in shared memory, is
   bounded, and forgets the oldest first. Entries expire in the order in which they came, so
   they stand in a ring; an index by hash finds them.

   Every call locks a robust mutex for a few hundred nanoseconds; a process that dies inside
   leaves a list that the next caller repairs. */
#ifndef MODE_GREYLIST_H
#define MODE_GREYLIST_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GREYLIST_CAPACITY 65536
#define GREYLIST_INDEX    (2 * GREYLIST_CAPACITY)

/* An address, IPv4 as ::ffff:a.b.c.d. All zero for clients without one. */
struct greylist_key {
    uint8_t bytes[16];
};

struct greylist_entry {
    struct greylist_key key;
    int64_t first_ms;  /* clock_ms() of the first connection */
    uint64_t attempts; /* asked about since, the first included */
};

struct greylist {
    pthread_mutex_t lock;
    uint64_t seed;                  /* of the hash; random */
    uint32_t oldest, count;         /* the ring's window */
    uint32_t index[GREYLIST_INDEX]; /* ring position + 1; 0: empty */
    struct greylist_entry ring[GREYLIST_CAPACITY];
};

/* Makes an empty list in zeroed shared memory. Once, by its creator. */
void greylist_init(struct greylist *list);

/* Is this address new within window_ms before now_ms? Then it is remembered from now on and the
   answer is true; otherwise false. */
bool greylist_first_seen(struct greylist *list, const struct greylist_key *key, int64_t now_ms,
                         int64_t window_ms);

/* Copies up to max entries from position `from` (0: the oldest); returns how many. */
size_t greylist_copy(struct greylist *list, size_t from, struct greylist_entry *out,
                     size_t max);

/* Forgets all. Returns how many there were. */
size_t greylist_clear(struct greylist *list);

/* The address as text in out (at least INET6_ADDRSTRLEN bytes); IPv4 in its own form. */
void greylist_key_text(const struct greylist_key *key, char out[46]);

#endif
