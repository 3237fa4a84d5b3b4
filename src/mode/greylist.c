/* A ring of addresses in the order of their first connection, and a hash index over it with
   linear probing. Removing only ever happens at the ring's old end. */
#include "mode/greylist.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "base/buf.h"
#include "base/robust.h"

#define FUTURE_MS 60000

_Static_assert((GREYLIST_INDEX & (GREYLIST_INDEX - 1)) == 0, "the index wraps by a mask");

void greylist_init(struct greylist *list)
{
    robust_mutex_init(&list->lock);
    if (getrandom(&list->seed, sizeof list->seed, GRND_NONBLOCK) < 0) {
        list->seed = (uint64_t)(uintptr_t)list;
    }
}

/* Two rounds of multiply and fold, keyed: a client that picks its IPv6 addresses must not be
   able to make them collide. */
static uint32_t hash(const struct greylist *list, const struct greylist_key *key)
{
    uint64_t half[2], h = list->seed;

    memcpy(half, key->bytes, sizeof half);
    for (int i = 0; i < 2; i++) {
        h = (h ^ half[i]) * 0x9E3779B97F4A7C15u;
        h ^= h >> 29;
        h = (h + list->seed) * 0xBF58476D1CE4E5B9u;
        h ^= h >> 32;
    }
    return (uint32_t)h & (GREYLIST_INDEX - 1);
}

static struct greylist_entry *entry_at(struct greylist *list, uint32_t position)
{
    return &list->ring[position % GREYLIST_CAPACITY];
}

/* Does a cell name an entry? Any process of the tree may write here, so a wild value must lead
   nowhere: it counts as empty. */
static bool is_used(const struct greylist *list, uint32_t cell)
{
    return list->index[cell] != 0 && list->index[cell] <= GREYLIST_CAPACITY;
}

/* The index cell that holds the key, or the empty one where it would stand. At most half of the
   cells are in use, so that a search ends; the count is for an index that somebody spoilt. */
static uint32_t cell_of(struct greylist *list, const struct greylist_key *key)
{
    uint32_t cell = hash(list, key);

    for (uint32_t tried = 0;
         tried < GREYLIST_INDEX && is_used(list, cell) &&
         memcmp(&list->ring[list->index[cell] - 1].key, key, sizeof *key) != 0;
         tried++) {
        cell = (cell + 1) & (GREYLIST_INDEX - 1);
    }
    return cell;
}

/* Empties a cell and moves up what had to stand behind it (Knuth 6.4, algorithm R). */
static void clear_cell(struct greylist *list, uint32_t hole)
{
    uint32_t cell = hole;

    list->index[hole] = 0;
    for (uint32_t moved = 0; moved < GREYLIST_INDEX; moved++) {
        uint32_t home;

        cell = (cell + 1) & (GREYLIST_INDEX - 1);
        if (!is_used(list, cell)) {
            return;
        }
        home = hash(list, &list->ring[list->index[cell] - 1].key);
        if (((cell - home) & (GREYLIST_INDEX - 1)) >= ((cell - hole) & (GREYLIST_INDEX - 1))) {
            list->index[hole] = list->index[cell];
            list->index[cell] = 0;
            hole = cell;
        }
    }
}

static void drop_oldest(struct greylist *list)
{
    clear_cell(list, cell_of(list, &entry_at(list, list->oldest)->key));
    list->oldest = (list->oldest + 1) % GREYLIST_CAPACITY;
    list->count--;
}

/* After a process died inside: whatever it was about to do, the ring's whole entries are right,
   and the index can be made from them. Of an address that stands twice the later one counts. */
static void repair(struct greylist *list)
{
    list->oldest %= GREYLIST_CAPACITY;
    list->count = list->count > GREYLIST_CAPACITY ? GREYLIST_CAPACITY : list->count;
    memset(list->index, 0, sizeof list->index);
    for (uint32_t i = 0; i < list->count; i++) {
        uint32_t position = (list->oldest + i) % GREYLIST_CAPACITY;

        list->index[cell_of(list, &list->ring[position].key)] = position + 1;
    }
}

static void lock(struct greylist *list)
{
    if (pthread_mutex_lock(&list->lock) == EOWNERDEAD) {
        repair(list);
        pthread_mutex_consistent(&list->lock);
    }
}

static void append(struct greylist *list, const struct greylist_key *key, int64_t now_ms)
{
    uint32_t position;

    if (list->count >= GREYLIST_CAPACITY) {
        drop_oldest(list);
    }
    position = (list->oldest + list->count) % GREYLIST_CAPACITY;
    list->ring[position] = (struct greylist_entry){*key, now_ms, 1};
    list->index[cell_of(list, key)] = position + 1;
    list->count++;
}

/* Is its time over? An entry of the future was made before this machine's last start, in a run
   directory that outlived it. Callers read the clock before they wait for the lock, so a little
   of the future is nothing. */
static bool is_over(const struct greylist_entry *entry, int64_t now_ms, int64_t window_ms)
{
    return entry->first_ms + window_ms <= now_ms || entry->first_ms > now_ms + FUTURE_MS;
}

bool greylist_first_seen(struct greylist *list, const struct greylist_key *key, int64_t now_ms,
                         int64_t window_ms)
{
    uint32_t cell;
    bool fresh;

    lock(list);
    while (list->count > 0 && is_over(entry_at(list, list->oldest), now_ms, window_ms)) {
        drop_oldest(list);
    }
    cell = cell_of(list, key);
    fresh = !is_used(list, cell);
    if (fresh) {
        append(list, key, now_ms);
    } else {
        list->ring[list->index[cell] - 1].attempts++;
    }
    pthread_mutex_unlock(&list->lock);
    return fresh;
}

size_t greylist_copy(struct greylist *list, size_t from, struct greylist_entry *out, size_t max)
{
    size_t n = 0;

    lock(list);
    while (n < max && from + n < list->count) {
        out[n] = *entry_at(list, list->oldest + (uint32_t)(from + n));
        n++;
    }
    pthread_mutex_unlock(&list->lock);
    return n;
}

size_t greylist_clear(struct greylist *list)
{
    size_t n;

    lock(list);
    n = list->count;
    list->count = 0;
    memset(list->index, 0, sizeof list->index);
    pthread_mutex_unlock(&list->lock);
    return n;
}

/* As inet_ntop(3), which goes through printf for it. */
static void v4_text(const uint8_t bytes[4], char *out)
{
    struct buf text = buf_over(out, INET_ADDRSTRLEN);

    for (int i = 0; i < 4; i++) {
        buf_addu(&text, bytes[i]);
        buf_addc(&text, i < 3 ? '.' : '\0');
    }
}

void greylist_key_text(const struct greylist_key *key, char out[46])
{
    static const uint8_t v4_prefix[12] = {[10] = 0xFF, [11] = 0xFF};

    if (memcmp(key->bytes, v4_prefix, sizeof v4_prefix) == 0) {
        v4_text(key->bytes + 12, out);
    } else {
        inet_ntop(AF_INET6, key->bytes, out, INET6_ADDRSTRLEN);
    }
}
