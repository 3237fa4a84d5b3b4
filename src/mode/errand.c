/* One-time jobs on a source, for people and for one-shot sessions. */
#include "mode/errand.h"

#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "mode/board.h"
#include "mode/policy.h"
#include "mode/refresher.h"

/* Another errand mostly ends within so much; a refresher does not. */
#define LOCK_PATIENCE_MS 3000
#define LOCK_RETRY_MS    50

static int report_fault(const struct source_fault *fault)
{
    log_warnx("%s (%s)", fault->text, fault->code);
    return source_fault_status(fault);
}

static void print_value(const char *event, const char *spec, const char *value,
                        uint64_t version, const char *mode, bool valid)
{
    struct jsonout *j = log_event(event);

    if (j == NULL) {
        return;
    }
    jsonout_str(j, "source", spec);
    jsonout_str(j, "value", value);
    if (version != 0) {
        jsonout_int(j, "version", (int64_t)version);
    }
    jsonout_str(j, "mode", mode);
    jsonout_bool(j, "valid", valid);
    log_end(j);
    log_flush();
}

int errand_print(const char *spec, const struct source_kind *const kinds[])
{
    struct source source;
    struct source_fault fault = {0};
    struct reading reading;
    enum mode mode = MODE_DEFER;
    char shown[BOARD_VALUE_SIZE];
    bool valid;

    if (!source_open(&source, spec, kinds, &fault)) {
        return report_fault(&fault);
    }
    if (!source.kind->fetch(&source, &reading, &fault)) {
        source_close(&source);
        return report_fault(&fault);
    }
    valid = mode_parse(reading.value, reading.length, &mode);
    refresher_show(&reading, shown, sizeof shown);
    print_value("fetched", spec, reading.secret && !valid ? "(SecureString)" : shown,
                reading.version, mode_name(mode), valid);
    explicit_bzero(&reading, sizeof reading);
    source_close(&source);
    return EXIT_OK;
}

int errand_put(const char *spec, const struct source_kind *const kinds[], const char *value)
{
    struct source_fault fault = {0};
    uint64_t version;
    enum mode mode;

    if (!mode_parse(value, strlen(value), &mode)) {
        log_warnx("'%.60s' is no mode; there are %s", value, mode_list());
        return EXIT_USAGE;
    }
    if (!source_put(spec, kinds, mode_name(mode), &version, &fault)) {
        return report_fault(&fault);
    }
    print_value("stored", spec, mode_name(mode), version, mode_name(mode), true);
    return EXIT_OK;
}

/* The right to publish, or -1 with errno. */
static int lock_patiently(const char *run_dir)
{
    int64_t deadline = clock_ms() + LOCK_PATIENCE_MS;
    int fd;

    while ((fd = board_writer_lock(run_dir, false)) < 0 && errno == EWOULDBLOCK &&
           clock_ms() < deadline) {
        nanosleep(&(struct timespec){.tv_nsec = LOCK_RETRY_MS * 1000000}, NULL);
    }
    return fd;
}

static int fetch_and_publish(struct board *board, struct source *source, int64_t ttl_ms)
{
    struct refresher refresher;

    board_share_log(board, NULL);
    refresher_init(&refresher, board, source, ttl_ms, true);
    if (!refresher_fetch(&refresher)) {
        return report_fault(&refresher.news.fault);
    }
    print_value("fetched", source->spec, refresher.news.value, refresher.news.version,
                refresher.news.policy.name, refresher.news.valid);
    return EXIT_OK;
}

int errand_once(const char *spec, const struct source_kind *const kinds[], const char *run_dir,
                int64_t ttl_ms)
{
    struct source_fault fault = {0};
    struct source source;
    struct board board;
    int status = EXIT_SYSTEM;
    int lock;

    if (!source_open(&source, spec, kinds, &fault)) {
        return report_fault(&fault);
    }
    lock = lock_patiently(run_dir);
    if (lock < 0 && errno == EWOULDBLOCK) {
        log_warnx("another sinkhole-refresh publishes in %s; where it is a daemon's, "
                  "`sinkholectl refresh` asks it to fetch",
                  run_dir);
        status = EXIT_TIMEOUT;
    } else if (lock < 0 || !board_open(&board, run_dir, BOARD_WRITE, true)) {
        log_warn("cannot use the board in %s", run_dir);
    } else {
        status = fetch_and_publish(&board, &source, ttl_ms);
        board_close(&board);
    }
    if (lock >= 0) {
        close(lock);
    }
    source_close(&source);
    return status;
}
