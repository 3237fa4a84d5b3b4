/* Counting, by looking at each message and attempt once. */
#include "report/tally.h"

#include <stdlib.h>
#include <string.h>

void tally_intervals(const struct ledger *ledger, struct interval out[INTERVALS])
{
    static const struct interval bounds[INTERVALS] = {
        {1000, "under 1 s", 0},           {10000, "1 s to 10 s", 0},
        {60000, "10 s to 1 min", 0},      {300000, "1 min to 5 min", 0},
        {900000, "5 min to 15 min", 0},   {1800000, "15 min to 30 min", 0},
        {3600000, "30 min to 1 h", 0},    {14400000, "1 h to 4 h", 0},
        {INT64_MAX, "4 h and longer", 0},
    };

    memcpy(out, bounds, sizeof bounds);
    for (size_t i = 0; i < ledger->message_count; i++) {
        const struct message *m = &ledger->messages[i];

        for (size_t j = m->first + 1; j < m->first + m->count; j++) {
            int64_t waited = ledger->attempts[j].at_ms - ledger->attempts[j - 1].at_ms;
            size_t k = 0;

            while (m->state != STATE_SHARED && waited >= out[k].below_ms) {
                k++;
            }
            out[k].count += m->state != STATE_SHARED;
        }
    }
}

static int by_address(const void *left, const void *right)
{
    const struct client *a = left, *b = right;
    int order = strcmp(a->address, b->address);

    return order != 0 ? order : strcmp(a->helo, b->helo);
}

static struct client *find(struct client *clients, size_t count, const struct attempt *a)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(clients[i].address, a->client) == 0 &&
            strcmp(clients[i].helo, a->helo) == 0) {
            return &clients[i];
        }
    }
    return NULL;
}

size_t tally_clients(const struct ledger *ledger, struct client **out)
{
    struct client *clients = NULL;
    size_t count = 0;

    for (size_t i = 0; i < ledger->attempt_count; i++) {
        const struct attempt *a = &ledger->attempts[i];
        struct client *client = find(clients, count, a);

        if (client == NULL) {
            clients = pool_grow(clients, count + 1, sizeof *clients);
            client = &clients[count++];
            *client = (struct client){.address = a->client, .helo = a->helo};
        }
        client->answers[attempt_answer(a)]++;
    }
    if (count > 1) {
        qsort(clients, count, sizeof *clients, by_address);
    }
    *out = clients;
    return count;
}

void tally_span(const struct ledger *ledger, int64_t *first_ms, int64_t *last_ms)
{
    *first_ms = *last_ms = ledger->attempt_count > 0 ? ledger->attempts[0].at_ms : 0;
    for (size_t i = 0; i < ledger->attempt_count; i++) {
        int64_t at = ledger->attempts[i].at_ms;

        *first_ms = at < *first_ms ? at : *first_ms;
        *last_ms = at > *last_ms ? at : *last_ms;
    }
}
