/* The two copies. */
#include "mode/publication.h"

#include <string.h>

void publication_init(struct publication *p, const struct published *first)
{
    p->copies[0] = *first;
}

void publication_publish(struct publication *p, const struct published *news)
{
    uint64_t next = atomic_load(&p->edition) + 1;

    /* Readers of the edition before last may still copy this one; they will see that the
       edition moved and read again. */
    atomic_thread_fence(memory_order_seq_cst);
    p->copies[next & 1] = *news;
    atomic_store_explicit(&p->edition, next, memory_order_release);
}

uint64_t publication_edition(const struct publication *p)
{
    return atomic_load_explicit(&p->edition, memory_order_acquire) + 1;
}

/* Whatever became of the memory since it was made, a reader's texts have an end. */
static void end_texts(struct published *p)
{
    p->policy.name[sizeof p->policy.name - 1] = '\0';
    for (int stage = 0; stage < STAGE_COUNT; stage++) {
        for (int i = 0; i < POLICY_CLAUSES; i++) {
            p->policy.at[stage][i].verdict.text[POLICY_TEXT_SIZE - 1] = '\0';
        }
    }
    p->fault.code[sizeof p->fault.code - 1] = '\0';
    p->fault.text[sizeof p->fault.text - 1] = '\0';
    p->source[sizeof p->source - 1] = '\0';
    p->value[sizeof p->value - 1] = '\0';
}

uint64_t publication_read(const struct publication *p, struct published *out)
{
    for (;;) {
        uint64_t edition = atomic_load_explicit(&p->edition, memory_order_acquire);

        memcpy(out, &p->copies[edition & 1], sizeof *out);
        atomic_thread_fence(memory_order_acquire);
        if (atomic_load_explicit(&p->edition, memory_order_relaxed) == edition) {
            end_texts(out);
            return edition + 1;
        }
    }
}
