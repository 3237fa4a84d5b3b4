/* The whole session. The input's first bytes script its surroundings, the rest is what a client
   sends. However that falls into packets, the client must hear the same; each command and each
   message has exactly one reply, each reply is well-formed, and each log line is whole. */
#include "smtp/session.h"

#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "fuzz.h"

#define SCRIPT      6 /* bytes of the input that are not the client's */
#define CLIENT_MAX  4096
#define PACKETS_MAX 100 /* a pair of sockets holds some more */

struct around {
    const uint8_t *script;
    int asked;
    enum session_state state;
    char heard[1 << 19];
    size_t heard_n;
    struct session_totals totals;
};

static struct session_policy policy(void *context)
{
    struct around *a = context;
    int turn = a->asked++ % 4;
    int bits = a->script[turn / 2] >> (turn % 2 * 4) & 15;

    return (struct session_policy){.policy = mode_policy((enum mode)(bits % MODE_COUNT)),
                                   .version = 1};
}

static bool first_seen(void *context)
{
    struct around *a = context;

    return (a->script[2] & 1) != 0;
}

static enum session_stop stopping(void *context)
{
    (void)context;
    return STOP_NO;
}

static void state(void *context, enum session_state now)
{
    struct around *a = context;

    a->state = now;
}

static void send_in_pieces(int fd, const uint8_t *bytes, size_t n, size_t piece)
{
    if (piece < n / PACKETS_MAX + 1) {
        piece = n / PACKETS_MAX + 1;
    }
    for (size_t at = 0; at < n; at += piece) {
        size_t here = n - at < piece ? n - at : piece;

        MUST(send(fd, bytes + at, here, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)here);
    }
    MUST(shutdown(fd, SHUT_WR) == 0);
}

static void hear(struct around *a, int fd)
{
    ssize_t n;

    a->heard_n = 0;
    while ((n = recv(fd, a->heard + a->heard_n, sizeof a->heard - a->heard_n, MSG_DONTWAIT)) >
           0) {
        a->heard_n += (size_t)n;
    }
}

static void converse(struct around *a, const uint8_t *data, size_t size, size_t piece)
{
    static char memory[262144] __attribute__((aligned(64)));
    struct session_limits limits = {
        .command_line = 64 + data[3],
        .headers = data[4],
        .recipients = 1 + data[5] % 8,
        .command_ms = 60000,
        .data_gap_ms = 60000,
        .data_ms = 60000,
        .closing_ms = 60000,
        .drain_ms = 60000,
    };
    struct session_env env = {
        .limits = &limits,
        .server_name = "mx.test",
        .client = "192.0.2.7",
        .id = "id-1",
        .context = a,
        .policy = policy,
        .first_seen = first_seen,
        .stopping = stopping,
        .state = state,
    };
    struct wire wire = {.in = -1};
    int pair[2], size_wanted = 1 << 20;

    MUST(session_size() <= sizeof memory);
    MUST(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) == 0);
    setsockopt(pair[1], SOL_SOCKET, SO_SNDBUFFORCE, &size_wanted, sizeof size_wanted);
    wire.in = wire.out = pair[1];
    a->script = data;
    a->asked = 0;
    a->state = SESSION_IDLE;
    send_in_pieces(pair[0], data + SCRIPT, size - SCRIPT, piece);
    session_run((struct session *)(void *)memory, &env, &wire, &a->totals);
    hear(a, pair[0]);
    close(pair[0]);
    close(pair[1]);
}

/* "CODE text" or "CODE-text" in printable ASCII; returns whether it is a reply's last line. */
static bool check_line(const char *line, size_t n)
{
    MUST(n >= 6 && n <= 512 && line[n - 1] == '\n' && line[n - 2] == '\r');
    MUST(line[0] >= '2' && line[0] <= '5' && line[1] >= '0' && line[1] <= '5');
    MUST(line[2] >= '0' && line[2] <= '9' && (line[3] == ' ' || line[3] == '-'));
    for (size_t i = 4; i < n - 2; i++) {
        MUST(line[i] >= ' ' && line[i] <= '~');
    }
    return line[3] == ' ';
}

/* One reply for the greeting, each command and each message that ended. */
static void check_replies(const struct around *a)
{
    size_t replies = 0, messages = 0;

    for (size_t at = 0; at < a->heard_n;) {
        const char *line = a->heard + at;
        const char *end = memchr(line, '\n', a->heard_n - at);

        MUST(end != NULL);
        replies += check_line(line, (size_t)(end - line) + 1);
        messages += memcmp(line, "354", 3) == 0;
        at += (size_t)(end - line) + 1;
    }
    MUST(replies <= 1 + a->totals.commands + messages);
    MUST(replies + 1 >= 1 + a->totals.commands + messages); /* the last message may be open */
    MUST(a->totals.recipients == a->totals.accepted + a->totals.deferred + a->totals.rejected);
}

/* What was logged: lines, each an object without raw control characters. */
static void check_log(int fd)
{
    static char text[1 << 20];
    ssize_t n = pread(fd, text, sizeof text, 0);
    const char *line = text;

    MUST(n >= 0 && n < (ssize_t)sizeof text);
    while (line < text + n) {
        const char *end = memchr(line, '\n', (size_t)(text + n - line));

        MUST(end != NULL && end - line < LOG_LINE_MAX && *line == '{' && end[-1] == '}');
        for (const char *p = line; p < end; p++) {
            MUST((unsigned char)*p >= ' ' && *p != 127);
        }
        line = end + 1;
    }
    MUST(ftruncate(fd, 0) == 0 && lseek(fd, 0, SEEK_SET) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct around whole, pieces;
    static int log = -1;

    if (size < SCRIPT || size > SCRIPT + CLIENT_MAX) {
        return 0;
    }
    if (log < 0) {
        log = memfd_create("log", 0);
        log_open(log);
    }
    converse(&whole, data, size, size);
    check_log(log);
    converse(&pieces, data, size, 1 + data[2] / 8);
    check_log(log);
    check_replies(&whole);
    MUST(whole.heard_n == pieces.heard_n);
    MUST(memcmp(whole.heard, pieces.heard, whole.heard_n) == 0);
    /* What comes behind the end is read along with it or not at all. */
    whole.totals.received = pieces.totals.received = 0;
    MUST(memcmp(&whole.totals, &pieces.totals, sizeof whole.totals) == 0);
    return 0;
}
