/* Looking, claiming and fetching without a refresher. */
#include "server/fresh.h"

#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "mode/life.h"
#include "mode/refresher.h"
#include "server/refresher_exec.h"

#define BEAT_MAX_MS  (2 * REFRESHER_BEAT_MS) /* one that says nothing for so long is none */
#define LOCK_TRIES   100 /* of a millisecond each: a publication takes far less */
#define POLL_MS      5
#define CLAIM_GAP_MS 1000 /* where sources quarrel over one board: one claim a second */

static void nap(long ms)
{
    nanosleep(&(struct timespec){.tv_nsec = ms * 1000000}, NULL);
}

static bool refresher_lives(const struct board *board)
{
    return life_of_refresher(board, BEAT_MAX_MS);
}

/* -- local sources ------------------------------------------------------------------------- */

/* Would publishing this tell anybody anything? Now and then it does, so that its age is
   true. */
static bool is_news(const struct fresh *f, const struct reading *reading, bool ok)
{
    struct published last;
    char shown[BOARD_VALUE_SIZE];
    int64_t now = clock_ms();

    board_read(f->board, &last);
    if (strcmp(last.source, f->source.spec) != 0 || last.attempted_ms == 0 ||
        now < last.attempted_ms || now - last.attempted_ms >= f->settings->cache_ttl_ms ||
        ok != (last.failing_ms == 0)) {
        return true;
    }
    if (ok) {
        refresher_show(reading, shown, sizeof shown);
    }
    return ok && strcmp(last.value, shown) != 0;
}

/* Another one-shot session holds the lock for an instant; a refresher, or an errand, for long,
   and then publishes by itself. */
static void publish(struct fresh *f)
{
    struct refresher refresher;
    int lock = -1;

    for (int i = 0; i < LOCK_TRIES && lock < 0; i++) {
        lock = board_writer_lock(f->settings->run_dir, false);
        if (lock < 0) {
            nap(1);
        }
    }
    if (lock >= 0) {
        /* Read once more: whoever publishes last must have read last. */
        refresher_init(&refresher, f->board, &f->source, f->settings->cache_ttl_ms, true);
        refresher_fetch(&refresher);
        close(lock);
    }
}

static void look_inside(struct fresh *f)
{
    struct source_fault fault;
    struct reading reading;
    bool ok = f->source.kind->fetch(&f->source, &reading, &fault);

    if (is_news(f, &reading, ok)) {
        publish(f);
    }
}

static bool same_file(const struct stat *a, const struct stat *b)
{
    return a->st_ino == b->st_ino && a->st_dev == b->st_dev && a->st_size == b->st_size &&
           memcmp(&a->st_mtim, &b->st_mtim, sizeof a->st_mtim) == 0 &&
           memcmp(&a->st_ctim, &b->st_ctim, sizeof a->st_ctim) == 0;
}

bool fresh_reads_files(const struct fresh *f)
{
    return f->source.kind != NULL && !f->source.constant;
}

/* A file that cannot be found looks like no other. */
static struct stat look_at(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 ? st : (struct stat){.st_mode = 0};
}

void fresh_look(void *context)
{
    struct fresh *f = context;
    struct stat now = {.st_mode = 0};

    if (refresher_lives(f->board)) {
        return;
    }
    if (fresh_reads_files(f)) {
        now = look_at(f->source.argument);
    }
    if (!f->looked || !same_file(&now, &f->seen)) {
        f->looked = true;
        f->seen = now; /* as it was before it is read: a change in between is seen next time */
        look_inside(f);
    }
}

/* -- remote sources ------------------------------------------------------------------------ */

static bool is_ours(const struct published *last, const char *source)
{
    return last->attempted_ms != 0 && strcmp(last->source, source) == 0;
}

bool fresh_is_due(const struct published *last, int64_t claim_ms, const char *source,
                  int64_t ttl_ms, int64_t now)
{
    bool ours = is_ours(last, source);
    bool ended = last->attempted_ms >= claim_ms;
    int64_t hold = ended                     ? (ours ? 0 : CLAIM_GAP_MS)
                   : ttl_ms > FRESH_CLAIM_MS ? ttl_ms
                                             : FRESH_CLAIM_MS;

    if (ours && last->attempted_ms <= now && now - last->attempted_ms < ttl_ms) {
        return false;
    }
    /* Times that lie in the future are of a former boot. */
    return claim_ms == 0 || claim_ms > now || now - claim_ms >= hold;
}

/* The fetcher must outlive this session and must not hold the client's connection, of which
   systemd gives more than one descriptor. */
static _Noreturn void become_fetcher(const struct fresh *f, int program, int secrets)
{
    static const char *const once[] = {"--once", NULL};
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    close_range(STDERR_FILENO + 1, ~0u, CLOSE_RANGE_CLOEXEC);
    dup2(null, STDIN_FILENO);
    if (log_fd() != STDOUT_FILENO) {
        dup2(null, STDOUT_FILENO);
    }
    refresher_exec(program, f->settings, secrets, once);
}

static void start_fetch(const struct fresh *f, int secrets)
{
    int program = refresher_program();
    pid_t child = program >= 0 ? fork() : -1;

    if (child == 0) {
        setsid();
        if (fork() == 0) {
            become_fetcher(f, program, secrets);
        }
        _exit(EXIT_OK);
    }
    if (child < 0) {
        log_warn("unable to start a fetch of the mode");
    } else {
        waitpid(child, NULL, 0);
    }
    if (program >= 0) {
        close(program);
    }
}

/* Nothing is known yet: defer would be an answer, but seldom the right one. */
static void wait_for_first(const struct fresh *f, int64_t until)
{
    struct published last;

    while (board_read(f->board, &last), !is_ours(&last, f->settings->mode_source)) {
        if (clock_ms() >= until) {
            return;
        }
        nap(POLL_MS);
    }
}

static void fetch_elsewhere(const struct fresh *f, int secrets)
{
    _Atomic int64_t *claim = &f->board->control->fetch_claim_ms;
    int64_t held = atomic_load(claim), now = clock_ms();
    struct published last;

    board_read(f->board, &last);
    if (fresh_is_due(&last, held, f->settings->mode_source, f->settings->cache_ttl_ms, now) &&
        atomic_compare_exchange_strong(claim, &held, now)) {
        held = now;
        start_fetch(f, secrets);
    }
    if (!is_ours(&last, f->settings->mode_source)) {
        wait_for_first(f, held + FRESH_WAIT_MS);
    }
}

/* -- both ---------------------------------------------------------------------------------- */

void fresh_open(struct fresh *f, const struct settings *settings, struct board *board,
                int secrets)
{
    struct source_fault fault;

    *f = (struct fresh){.settings = settings, .board = board};
    if (source_open(&f->source, settings->mode_source, source_local_kinds, &fault)) {
        fresh_look(f);
    } else if (!refresher_lives(board)) {
        fetch_elsewhere(f, secrets);
    }
}
