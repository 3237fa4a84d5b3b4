/* The only file that parses JSON. A line is searched for a JSON object; an object that is no
   event of ours may carry one as text, in the shapes that CloudWatch Logs has. */
#include "report/reader.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define DEPTH_MAX 16

/* RFC 3339 in UTC with milliseconds, as every line has it; 0 when it is not that. */
static int64_t read_time(const char *text)
{
    struct tm tm = {0};
    int ms = 0, end = 0;

    if (text == NULL ||
        sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d.%3dZ%n", &tm.tm_year, &tm.tm_mon, &tm.tm_mday,
               &tm.tm_hour, &tm.tm_min, &tm.tm_sec, &ms, &end) != 7 ||
        text[end] != '\0') {
        return 0;
    }
    tm.tm_year -= 1900;
    tm.tm_mon -= 1;
    return (int64_t)timegm(&tm) * 1000 + ms;
}

static const char *text_of(struct json_object *object, const char *key)
{
    struct json_object *value;

    return json_object_object_get_ex(object, key, &value) &&
                   json_object_is_type(value, json_type_string)
               ? json_object_get_string(value)
               : NULL;
}

static int64_t number_of(struct json_object *object, const char *key)
{
    struct json_object *value;

    return json_object_object_get_ex(object, key, &value) ? json_object_get_int64(value) : 0;
}

static const char *keep(struct ledger *ledger, struct json_object *object, const char *key)
{
    const char *text = text_of(object, key);

    return pool_text(&ledger->pool, text != NULL ? text : "");
}

static bool is_positive(int64_t code)
{
    return code / 100 == 2;
}

/* One attempt for each recipient. A recipient that was accepted shares the message's fate. */
static void take_attempt(struct ledger *ledger, struct json_object *line)
{
    struct json_object *rcpts = NULL;
    bool more = number_of(line, "more") != 0;
    struct attempt a = {
        .at_ms = read_time(text_of(line, "time")),
        .session = keep(ledger, line, "session"),
        .client = keep(ledger, line, "client"),
        .helo = keep(ledger, line, "helo"),
        .from = keep(ledger, line, "from"),
        .mode = keep(ledger, line, "mode"),
        .message_id = pool_text(&ledger->pool, text_of(line, "message_id")),
        .version = number_of(line, "version"),
        .data = json_object_object_get_ex(line, "bytes", NULL),
        .open = more,
    };

    if (!json_object_object_get_ex(line, "rcpts", &rcpts) ||
        !json_object_is_type(rcpts, json_type_array)) {
        ledger->strange++;
        return;
    }
    for (size_t i = 0; i < json_object_array_length(rcpts); i++) {
        struct json_object *rcpt = json_object_array_get_idx(rcpts, i);
        int64_t code = number_of(rcpt, "code");

        a.to = keep(ledger, rcpt, "to");
        a.code = (int)(is_positive(code) && !more ? number_of(line, "code") : code);
        ledger_add(ledger, &a);
    }
    if (!more && number_of(line, "part") > 1) {
        a.code = (int)number_of(line, "code");
        ledger_close(ledger, &a);
    }
}

static void take_event(struct ledger *ledger, struct json_object *line, const char *event)
{
    if (strcmp(event, "attempt") == 0) {
        take_attempt(ledger, line);
    } else if (strcmp(event, "mode") == 0) {
        struct change change = {.at_ms = read_time(text_of(line, "time")),
                                .mode = keep(ledger, line, "mode"),
                                .version = number_of(line, "version")};
        ledger_add_change(ledger, &change);
    }
}

/* {"events": [{"message": "..."}]}, as `aws logs filter-log-events` prints it on one line. */
static bool take_export(struct ledger *ledger, struct json_object *object)
{
    struct json_object *events;
    const char *message = text_of(object, "message");

    if (message != NULL) {
        reader_line(message, strlen(message), ledger);
        return true;
    }
    if (!json_object_object_get_ex(object, "events", &events) ||
        !json_object_is_type(events, json_type_array)) {
        return false;
    }
    for (size_t i = 0; i < json_object_array_length(events); i++) {
        message = text_of(json_object_array_get_idx(events, i), "message");
        if (message != NULL) {
            reader_line(message, strlen(message), ledger);
        }
    }
    return true;
}

static struct json_object *parse(const char *text, size_t n)
{
    struct json_tokener *tokener = json_tokener_new_ex(DEPTH_MAX);
    struct json_object *object = NULL;

    if (tokener != NULL && n <= INT32_MAX) {
        object = json_tokener_parse_ex(tokener, text, (int)n);
    }
    json_tokener_free(tokener);
    return object;
}

/* `"message": "{...}",` on a line of its own: the same export, printed to be read. */
static bool take_quoted(struct ledger *ledger, const char *line, size_t n)
{
    static const char key[] = "\"message\":";
    const char *at = memmem(line, n, key, sizeof key - 1);
    struct json_object *value;
    bool good;

    if (at == NULL) {
        return false;
    }
    at += sizeof key - 1;
    at += strspn(at, " ");
    value = parse(at, n - (size_t)(at - line));
    good = json_object_is_type(value, json_type_string);
    if (good) {
        const char *message = json_object_get_string(value);
        reader_line(message, strlen(message), ledger);
    }
    json_object_put(value);
    return good;
}

void reader_line(const char *line, size_t n, struct ledger *ledger)
{
    const char *brace = memchr(line, '{', n);
    struct json_object *object =
        brace != NULL ? parse(brace, n - (size_t)(brace - line)) : NULL;
    const char *event = object != NULL ? text_of(object, "event") : NULL;

    if (event != NULL) {
        take_event(ledger, object, event);
    } else if ((object == NULL || !take_export(ledger, object)) &&
               !take_quoted(ledger, line, n) && n > 0) {
        ledger->strange++;
    }
    json_object_put(object);
}

void reader_read(FILE *file, struct ledger *ledger)
{
    char *line = NULL;
    size_t size = 0;
    ssize_t n;

    while ((n = getline(&line, &size, file)) >= 0) {
        while (n > 0 && (line[n - 1] == '\n' || line[n - 1] == '\r')) {
            line[--n] = '\0';
        }
        reader_line(line, (size_t)n, ledger);
    }
    free(line);
}
