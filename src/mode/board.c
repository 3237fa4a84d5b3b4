/* The board's file: making it, attaching to it, and what lies where in it. The only file of
   this layer that maps memory. */
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

struct head {
    uint64_t magic;
    uint64_t layout; /* LAYOUT_VERSION and the sizes, folded: another build, another board */
    struct publication publication;
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
    board->publication = &((struct head *)(void *)memory)->publication;
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
        head = board->memory;
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
    publication_init(board->publication, &first);
    head->layout = layout_number();
    log_share_init(&board->control->log);
    greylist_init(board->greylist);
    head->magic = MAGIC;
}

/* Gives the file its length and every block of it: on a file system that is full, a hole would
   kill by SIGBUS whoever first writes there. Returns false and sets errno. */
static bool allot(int fd)
{
    errno = posix_fallocate(fd, 0, (off_t)offset_of(SECTIONS));
    return errno == 0;
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
    if (!allot(fd) || !map_file(board, fd, BOARD_WRITE)) {
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
    publication_publish(board->publication, news);
}

uint64_t board_edition(const struct board *board)
{
    return publication_edition(board->publication);
}

uint64_t board_read(const struct board *board, struct published *out)
{
    return publication_read(board->publication, out);
}

void board_share_log(struct board *board, struct log_lane *own)
{
    uint32_t lanes = atomic_load(&board->control->workers_max);

    log_join(&board->control->log, &board->slots[0].lane,
             lanes < BOARD_SLOTS ? lanes : BOARD_SLOTS, sizeof board->slots[0], own);
}

/* -- counters ------------------------------------------------------------------------------ */

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
