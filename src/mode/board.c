/* The board's file: making it, attaching to it, and the one publication in it. The only file
   that maps memory. */
#include "mode/board.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"

#define PAGE           4096u
#define ROUND_UP(n)    (((n) + PAGE - 1) / PAGE * PAGE)
#define MAGIC          0x656C6F486B6E6953u /* "SinkHole" */
#define LAYOUT_VERSION 1u

_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2 && ATOMIC_INT_LOCK_FREE == 2,
               "shared memory wants atomics without locks");

/* Two copies of the publication: readers use the one that the edition's last bit names, while
   the writer fills the other. A writer that dies has spoilt nothing that anybody reads. */
struct head {
    uint64_t magic;
    uint64_t layout; /* LAYOUT_VERSION and the sizes, folded: another build, another board */
    _Atomic uint64_t edition;
    struct published copies[2];
};

enum section { SECTION_HEAD, SECTION_CONTROL, SECTION_SLOTS, SECTION_GREYLIST, SECTIONS };

static const size_t sizes[SECTIONS] = {
    [SECTION_HEAD] = ROUND_UP(sizeof(struct head)),
    [SECTION_CONTROL] = ROUND_UP(sizeof(struct board_control)),
    [SECTION_SLOTS] = ROUND_UP(BOARD_SLOTS * sizeof(struct board_slot)),
    [SECTION_GREYLIST] = ROUND_UP(sizeof(struct greylist)),
};

static size_t offset_of(enum section section)
{
    size_t offset = 0;

    for (int i = 0; i < (int)section; i++) {
        offset += sizes[i];
    }
    return offset;
}

static uint64_t layout_number(void)
{
    uint64_t n = LAYOUT_VERSION;

    for (int i = 0; i < SECTIONS; i++) {
        n = n * 1000003 + sizes[i];
    }
    n = n * 1000003 + sizeof(struct published);
    return n * 1000003 + sizeof(struct board_slot);
}

static const char *const counter_names[] = {
    [COUNT_CONNECTIONS] = "connections", [COUNT_PROBES] = "probes",
    [COUNT_SESSIONS] = "sessions",       [COUNT_COMMANDS] = "commands",
    [COUNT_RECIPIENTS] = "recipients",   [COUNT_ACCEPTED] = "accepted",
    [COUNT_DEFERRED] = "deferred",       [COUNT_REJECTED] = "rejected",
    [COUNT_MESSAGES] = "messages",       [COUNT_BYTES] = "bytes",
    [COUNT_BARE_LF] = "bare_lf",         [COUNT_TIMEOUTS] = "timeouts",
    [COUNT_REFUSED] = "refused",
};
_Static_assert(sizeof counter_names / sizeof counter_names[0] == COUNTERS, "each has a name");

const char *counter_name(enum counter counter)
{
    return counter_names[counter];
}

const char *slot_state_name(enum slot_state state)
{
    static const char *const names[] = {
        [SLOT_FREE] = "free",       [SLOT_STARTING] = "starting", [SLOT_IDLE] = "idle",
        [SLOT_COMMAND] = "command", [SLOT_MAIL] = "mail",         [SLOT_DATA] = "data",
        [SLOT_CLOSING] = "closing",
    };

    return state < SLOT_STATES ? names[state] : "?";
}

void slot_show(struct board_slot *slot, pid_t owner, enum slot_state state)
{
    if (atomic_load_explicit(&slot->pid, memory_order_relaxed) == owner) {
        atomic_store_explicit(&slot->state, state, memory_order_release);
    }
}

/* -- attaching ----------------------------------------------------------------------------- */

static bool map_file(struct board *board, int fd, enum board_access access)
{
    int protection = access == BOARD_READ ? PROT_READ : PROT_READ | PROT_WRITE;
    char *memory = mmap(NULL, offset_of(SECTIONS), protection, MAP_SHARED, fd, 0);

    if (memory == MAP_FAILED) {
        return false;
    }
    board->fd = fd;
    board->memory = memory;
    board->head = memory;
    board->control = (void *)(memory + offset_of(SECTION_CONTROL));
    board->slots = (void *)(memory + offset_of(SECTION_SLOTS));
    board->greylist = (void *)(memory + offset_of(SECTION_GREYLIST));
    return true;
}

/* Maps a file that is a board of this layout. */
static bool attach(struct board *board, const char *path, enum board_access access)
{
    int flags = (access == BOARD_READ ? O_RDONLY : O_RDWR) | O_CLOEXEC | O_NOFOLLOW;
    int fd = open(path, flags);
    struct stat st;
    const struct head *head;

    if (fd < 0) {
        return false;
    }
    if (fstat(fd, &st) != 0 || (size_t)st.st_size != offset_of(SECTIONS)) {
        errno = EPROTO;
    } else if (map_file(board, fd, access)) {
        head = board->head;
        if (head->magic == MAGIC && head->layout == layout_number()) {
            return true;
        }
        munmap(board->memory, offset_of(SECTIONS));
        errno = EPROTO;
    }
    close(fd);
    return false;
}

/* -- creating ------------------------------------------------------------------------------ */

static void fill(struct board *board)
{
    struct head *head = board->memory;
    struct published first = {.changed_ms = clock_ms()};

    first.policy = *mode_policy(MODE_DEFER);
    head->copies[0] = first;
    head->layout = layout_number();
    log_share_init(&board->control->log);
    greylist_init(board->greylist);
    head->magic = MAGIC;
}

/* Builds a board beside its name and renames it into place: nobody sees half of one. */
static bool create_file(struct board *board, const char *path)
{
    char fresh[512];
    int fd;

    if (snprintf(fresh, sizeof fresh, "%s.%d", path, (int)getpid()) >= (int)sizeof fresh) {
        errno = ENAMETOOLONG;
        return false;
    }
    unlink(fresh);
    fd = open(fresh, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (fd < 0) {
        return false;
    }
    if (ftruncate(fd, (off_t)offset_of(SECTIONS)) != 0 || !map_file(board, fd, BOARD_WRITE)) {
        close(fd);
        unlink(fresh);
        return false;
    }
    fill(board);
    if (rename(fresh, path) != 0) {
        unlink(fresh);
        board_close(board);
        return false;
    }
    return true;
}

static int lock_file(const char *run_dir, const char *name, int how)
{
    char path[512];
    int fd;

    if (snprintf(path, sizeof path, "%s/%s", run_dir, name) >= (int)sizeof path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd >= 0 && flock(fd, how) != 0) {
        close(fd);
        fd = -1;
    }
    return fd;
}

bool board_open(struct board *board, const char *run_dir, enum board_access access, bool create)
{
    char path[512];
    bool done;
    int lock;

    if (snprintf(path, sizeof path, "%s/board", run_dir) >= (int)sizeof path) {
        errno = ENAMETOOLONG;
        return false;
    }
    if (attach(board, path, access)) {
        return true;
    }
    if (!create || (errno != ENOENT && errno != EPROTO)) {
        return false;
    }
    lock = lock_file(run_dir, "create.lock", LOCK_EX);
    if (lock < 0) {
        return false;
    }
    done = attach(board, path, access) || create_file(board, path);
    close(lock);
    return done;
}

void board_close(struct board *board)
{
    munmap(board->memory, offset_of(SECTIONS));
    close(board->fd);
    *board = (struct board){.fd = -1};
}

bool board_protect(struct board *board)
{
    return mprotect(board->memory, sizes[SECTION_HEAD], PROT_READ) == 0;
}

static uint32_t slots_used(const struct board *board)
{
    uint32_t used = atomic_load(&board->control->slots_used);

    return used < BOARD_SLOTS ? used : BOARD_SLOTS;
}

void board_adopt(struct board *board)
{
    struct board_control *control = board->control;

    atomic_store(&control->master, 0);
    memset(control->listening, 0, sizeof control->listening);
    atomic_store(&control->refresher, 0);
    atomic_store(&control->pressure, 0);
    atomic_store(&control->stopping, 0);
    atomic_store(&control->workers_now, 0);
    atomic_store(&control->slots_used, slots_used(board));
    log_share_init(&control->log);
    for (uint32_t i = 0; i < slots_used(board); i++) {
        struct board_slot *slot = &board->slots[i];

        atomic_store(&slot->pid, 0);
        atomic_store(&slot->state, SLOT_FREE);
        atomic_store(&slot->lane.writing, 0);
    }
}

/* -- publishing ---------------------------------------------------------------------------- */

int board_writer_lock(const char *run_dir, bool wait)
{
    return lock_file(run_dir, "refresh.lock", wait ? LOCK_EX : LOCK_EX | LOCK_NB);
}

void board_publish(struct board *board, const struct published *news)
{
    struct head *head = board->memory;
    uint64_t next = atomic_load(&head->edition) + 1;

    /* Readers of the edition before last may still copy this one; they will see that the
       edition moved and read again. */
    atomic_thread_fence(memory_order_seq_cst);
    head->copies[next & 1] = *news;
    atomic_store_explicit(&head->edition, next, memory_order_release);
}

uint64_t board_edition(const struct board *board)
{
    const struct head *head = board->head;

    return atomic_load_explicit(&head->edition, memory_order_acquire) + 1;
}

/* Whatever became of the file since it was made, a reader's texts have an end. */
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

uint64_t board_read(const struct board *board, struct published *out)
{
    const struct head *head = board->head;

    for (;;) {
        uint64_t edition = atomic_load_explicit(&head->edition, memory_order_acquire);

        memcpy(out, &head->copies[edition & 1], sizeof *out);
        atomic_thread_fence(memory_order_acquire);
        if (atomic_load_explicit(&head->edition, memory_order_relaxed) == edition) {
            end_texts(out);
            return edition + 1;
        }
    }
}

void board_share_log(struct board *board, struct log_lane *own)
{
    uint32_t lanes = atomic_load(&board->control->workers_max);

    log_join(&board->control->log, &board->slots[0].lane,
             lanes < BOARD_SLOTS ? lanes : BOARD_SLOTS, sizeof board->slots[0], own);
}

/* -- counters ------------------------------------------------------------------------------ */

void counters_add(struct counters *counters, enum counter counter, uint64_t n)
{
    if (n > 0) {
        atomic_fetch_add_explicit(&counters->of[counter], n, memory_order_relaxed);
    }
}

void board_totals(const struct board *board, uint64_t out[COUNTERS])
{
    /* Slots behind the last one used are left alone: reading would make their pages. */
    uint32_t used = slots_used(board);

    for (int c = 0; c < COUNTERS; c++) {
        out[c] = atomic_load_explicit(&board->control->oneshot.of[c], memory_order_relaxed);
        for (uint32_t i = 0; i < used; i++) {
            out[c] +=
                atomic_load_explicit(&board->slots[i].counters.of[c], memory_order_relaxed);
        }
    }
}
