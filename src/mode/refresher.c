/* One loop around poll(2). Fetches block in here, which harms nobody: this process serves
 * nobody. */
#include "mode/refresher.h"

#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/signals.h"
#include "mode/readiness.h"

/* -- what the board knew ----------------------------------------------------------------------
 */

/* Times of a former boot lie in the future, or mean nothing. */
static bool is_ours(const struct published *news, const struct source *source, int64_t now)
{
    return strcmp(news->source, source->spec) == 0 && news->fetched_ms <= now &&
           news->attempted_ms <= now && news->changed_ms <= now;
}

void refresher_init(struct refresher *r, struct board *board, struct source *source,
                    int64_t ttl_ms, bool quiet)
{
    int64_t now = clock_ms();

    *r = (struct refresher){.board = board, .source = source, .quiet = quiet};
    schedule_init(&r->schedule, ttl_ms, (uint64_t)now * 2654435761u ^ (uint64_t)getpid(), now);
    board_read(board, &r->news);
    if (!is_ours(&r->news, source, now)) {
        r->news = (struct published){.policy = *mode_policy(MODE_DEFER), .changed_ms = now};
        snprintf(r->news.source, sizeof r->news.source, "%s", source->spec);
    }
    if (!quiet) {
        r->news.fetches = r->news.failures = 0;
        r->news.failing_ms = 0;
    }
    r->news.ttl_ms = ttl_ms;
    board_publish(board, &r->news);
}

/* -- one fetch --------------------------------------------------------------------------------
 */

void refresher_show(const struct reading *reading, char *out, size_t size)
{
    const char *from = reading->value, *end = from + reading->length;
    size_t n = 0;

    while (from < end && isspace((unsigned char)*from)) {
        from++;
    }
    while (end > from && isspace((unsigned char)end[-1])) {
        end--;
    }
    for (; from < end && n + 1 < size; from++) {
        out[n++] = *from >= 0x20 && *from < 0x7F ? *from : '?';
    }
    out[n] = '\0';
}

/* The fields that tell which value is meant, and what it does. */
static void log_value(const char *event, const struct published *news, const char *previous)
{
    struct jsonout *j = log_event(event);

    if (j == NULL) {
        return;
    }
    jsonout_str(j, "mode", news->policy.name);
    jsonout_str(j, "value", news->value);
    if (news->version != 0) {
        jsonout_int(j, "version", (int64_t)news->version);
    }
    jsonout_str(j, "source", news->source);
    jsonout_str(j, "previous", previous);
    log_end(j);
    log_flush();
}

/* What fails, and what is served meanwhile. */
static void log_fault(const char *event, const struct published *news, const char *key,
                      int64_t ms)
{
    struct jsonout *j = log_event(event);

    if (j == NULL) {
        return;
    }
    jsonout_str(j, "source", news->source);
    jsonout_str(j, "code", news->fault.code);
    jsonout_str(j, "message", news->fault.text);
    jsonout_str(j, "mode", news->policy.name);
    jsonout_int(j, key, ms);
    log_end(j);
    log_flush();
}

static void log_recovered(const struct published *news, int64_t failed_ms, uint64_t failures)
{
    struct jsonout *j = log_event("source_recovered");

    if (j == NULL) {
        return;
    }
    jsonout_str(j, "source", news->source);
    jsonout_int(j, "failed_ms", failed_ms);
    if (failures != 0) { /* a single fetch does not know those before it */
        jsonout_int(j, "failures", (int64_t)failures);
    }
    log_end(j);
    log_flush();
}

/* How the fetch ended that somebody had asked for. */
static void log_refreshed(const struct published *news, int64_t took_ms)
{
    struct jsonout *j = log_event("refreshed");

    if (j == NULL) {
        return;
    }
    jsonout_str(j, "source", news->source);
    jsonout_bool(j, "ok", news->failing_ms == 0);
    if (news->failing_ms != 0) {
        jsonout_str(j, "code", news->fault.code);
    }
    jsonout_str(j, "mode", news->policy.name);
    if (news->version != 0) {
        jsonout_int(j, "version", (int64_t)news->version);
    }
    jsonout_int(j, "took_ms", took_ms);
    log_end(j);
    log_flush();
}

/* What a reading turns the news into. */
static void take_reading(struct published *news, const struct reading *reading, int64_t started)
{
    enum mode mode = MODE_DEFER;

    news->valid = mode_parse(reading->value, reading->length, &mode);
    news->policy = *mode_policy(mode);
    news->version = reading->version;
    news->fetched_ms = started;
    news->failing_ms = 0;
    news->fetches++;
    if (reading->secret) {
        snprintf(news->value, sizeof news->value, "%s",
                 news->valid ? mode_name(mode) : "(SecureString)");
    } else {
        refresher_show(reading, news->value, sizeof news->value);
    }
}

static void worked(struct refresher *r, const struct reading *reading, int64_t started)
{
    struct published before = r->news;
    bool mode_changed, value_changed;

    take_reading(&r->news, reading, started);
    mode_changed = strcmp(before.policy.name, r->news.policy.name) != 0;
    value_changed = before.fetched_ms == 0 || strcmp(before.value, r->news.value) != 0 ||
                    before.version != r->news.version;
    if (mode_changed || value_changed) {
        r->news.changed_ms = clock_ms();
    }
    board_publish(r->board, &r->news);
    if (before.failing_ms != 0) {
        log_recovered(&r->news, clock_ms() - before.failing_ms, r->failures);
    }
    if (!r->news.valid && (value_changed || !r->quiet)) {
        log_value("mode_invalid", &r->news, before.policy.name);
    }
    if (mode_changed || (r->news.valid && (value_changed || !r->quiet))) {
        log_value("mode", &r->news, before.policy.name);
    }
    r->quiet = true;
    r->failures = 0;
    schedule_worked(&r->schedule, started, r->source->constant);
}

static void failed(struct refresher *r, const struct source_fault *fault, int64_t started)
{
    int64_t now = clock_ms();
    bool starts = r->news.failing_ms == 0;

    if (starts) {
        r->news.failing_ms = started;
    }
    r->news.fault = *fault;
    r->news.failures++;
    r->failures++;
    schedule_failed(&r->schedule, now, fault->throttled, fault->retry_after_ms);
    board_publish(r->board, &r->news);
    if (starts) {
        log_fault("source_failed", &r->news, "retry_ms", r->schedule.due_ms - now);
        r->told_ms = now;
    }
}

void refresher_remind(struct refresher *r, int64_t now)
{
    if (r->news.failing_ms != 0 && now - r->told_ms >= REFRESHER_REMIND_MS) {
        log_fault("source_failing", &r->news, "failing_ms", now - r->news.failing_ms);
        r->told_ms = now;
    }
}

bool refresher_fetch(struct refresher *r)
{
    struct reading reading;
    struct source_fault fault = {0};
    int64_t started = clock_ms();
    bool ok = r->source->kind->fetch(r->source, &reading, &fault);

    r->news.attempted_ms = started;
    if (ok) {
        worked(r, &reading, started);
    } else {
        failed(r, &fault, started);
    }
    explicit_bzero(&reading, sizeof reading);
    return ok;
}

/* -- the loop ---------------------------------------------------------------------------------
 */

static void leave(int number)
{
    (void)number;
    _exit(EXIT_OK);
}

/* Waits for a signal, a change or the next fetch; at most one beat. */
static void wait_for_cause(struct refresher *r, int signal_fd, int watch_fd)
{
    struct pollfd fds[] = {{.fd = signal_fd, .events = POLLIN},
                           {.fd = watch_fd, .events = POLLIN}};
    int64_t now = clock_ms();
    int64_t until = now + REFRESHER_BEAT_MS;

    if (r->schedule.due_ms < until) {
        until = r->schedule.due_ms;
    }
    if (poll(fds, 2, clock_left(until, now)) <= 0) {
        return;
    }
    while (signals_next(signal_fd) == SIGHUP) {
        r->asked = true;
        schedule_kick(&r->schedule, now);
    }
    if (fds[1].revents != 0 && r->source->kind->changed(r->source)) {
        schedule_kick(&r->schedule, now);
    }
}

static void fetch_in_turn(struct refresher *r)
{
    int64_t started = clock_ms();

    refresher_fetch(r);
    if (r->asked) {
        r->asked = false;
        log_refreshed(&r->news, clock_ms() - started);
    }
}

void refresher_run(struct refresher *r, int ready_fd)
{
    int signal_fd = signals_open((const int[]){SIGHUP}, 1);
    int watch_fd = r->source->kind->watch != NULL ? r->source->kind->watch(r->source) : -1;

    if (signal_fd < 0) {
        return;
    }
    signals_catch(SIGTERM, leave);
    signals_catch(SIGINT, leave);
    readiness_promise(ready_fd, REFRESHER_READY_MS);
    for (;;) {
        atomic_store(&r->board->control->refresher_beat_ms, clock_ms());
        if (schedule_is_due(&r->schedule, clock_ms())) {
            fetch_in_turn(r);
            readiness_tell();
        }
        refresher_remind(r, clock_ms());
        wait_for_cause(r, signal_fd, watch_fd);
    }
}
