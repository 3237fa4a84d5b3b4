/* A board that something has spoilt: attaching and everything that reads it must stay within
   it. The input is a list of changes to a good board: where (4 bytes), how long (1), and the
   bytes. */
#include "mode/board.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz.h"

#define MUST_END(text) MUST(memchr((text), '\0', sizeof(text)) != NULL)

static char dir[64];
static char *file; /* the whole board, writable behind the reader's back */
static char *good; /* as it was made */
static size_t file_size;

static void remove_dir(void)
{
    char path[128];
    const char *const names[] = {"board", "create.lock"};

    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/%s", dir, names[i]);
        unlink(path);
    }
    rmdir(dir);
}

static void make_board(void)
{
    char path[128];
    struct board board;
    struct stat st;
    int fd;

    strcpy(dir, "/tmp/fuzz-board.XXXXXX");
    MUST(mkdtemp(dir) != NULL);
    atexit(remove_dir);
    MUST(board_open(&board, dir, BOARD_WRITE, true));
    board_close(&board);
    snprintf(path, sizeof path, "%s/board", dir);
    fd = open(path, O_RDWR);
    MUST(fd >= 0 && fstat(fd, &st) == 0);
    file_size = (size_t)st.st_size;
    file = mmap(NULL, file_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    MUST(file != MAP_FAILED);
    close(fd);
    good = fuzz_copy(file, file_size);
}

/* Applies the changes, or takes them back. Positions wrap, so that most of them hit
   something. */
static void change(const uint8_t *data, size_t size, bool back)
{
    for (size_t at = 0; at + 5 <= size;) {
        uint32_t where;
        size_t n = data[at + 4] % 32;

        memcpy(&where, data + at, sizeof where);
        where %= (uint32_t)(file_size - 32);
        at += 5;
        n = n < size - at ? n : size - at;
        memcpy(file + where, back ? good + where : (const char *)data + at, n);
        at += n;
    }
}

static void read_board(struct board *board)
{
    static const struct policy_facts facts = {.first_seen = NULL};
    static struct published now;
    uint64_t totals[COUNTERS];

    board_read(board, &now);
    MUST_END(now.policy.name);
    MUST_END(now.source);
    MUST_END(now.value);
    MUST_END(now.fault.code);
    MUST_END(now.fault.text);
    for (int stage = 0; stage < STAGE_COUNT; stage++) {
        for (int i = 0; i < POLICY_CLAUSES; i++) {
            now.policy.at[stage][i].when = WHEN_ALWAYS;
        }
        MUST_END(policy_verdict(&now.policy, (enum stage)stage, &facts)->text);
    }
    board_totals(board, totals);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct board board;

    if (file == NULL) {
        make_board();
    }
    change(data, size, false);
    if (board_open(&board, dir, BOARD_READ, false)) {
        read_board(&board);
        board_close(&board);
    } else {
        MUST(errno == EPROTO);
    }
    change(data, size, true);
    return 0;
}
