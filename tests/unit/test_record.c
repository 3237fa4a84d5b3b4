/* smtp/record: what a session leaves in the log. */
#include "smtp/record.h"

#include <check.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "conversation.h"
#include "runner.h"

#define HELLO "EHLO c.test\r\n"

/* Each line that is expected, from its event to its end, in order; "..." skips. */
static void expect_log(const struct conversation *c, const char *const lines[])
{
    const char *at = c->log;

    for (int i = 0; lines[i] != NULL; i++) {
        const char *want = strstr(at, "\"event\":");
        const char *dots = strstr(lines[i], "...");
        size_t n = dots == NULL ? strlen(lines[i]) : (size_t)(dots - lines[i]);

        ck_assert_msg(want != NULL, "no more lines, but: %s", lines[i]);
        ck_assert_msg(strncmp(want + 8, lines[i], n) == 0, "want: %s\ngot: %s", lines[i], want);
        at = strchr(want, '\n');
        ck_assert_ptr_nonnull(at);
        at++;
    }
    ck_assert_str_eq(at, "");
}

#define WHO        "\"session\":\"id-1\",\"client\":\"192.0.2.7\",\"helo\":\"c.test\","
#define IN(mode)   "\"mode\":\"" mode "\",\"version\":42}\n"
#define SESSION    "\"session\"," WHO
#define ATTEMPT    "\"attempt\"," WHO
#define ACCEPTED   "\"accepted\"," WHO
#define MESSAGE_MD "From: a\r\nMessage-ID: <1@x>\r\nSubject: one\r\n two\r\n\r\n..dot\r\n.\r\n"

static const struct {
    enum mode mode;
    const char *in;
    const char *lines[5];
} rows[] = {
    {MODE_ACCEPT, "", {NULL}}, /* a health check */
    {MODE_ACCEPT,
     HELLO "QUIT\r\n",
     {SESSION "\"commands\":2,\"recipients\":0,\"accepted\":0,\"deferred\":0,\"rejected\":0,"
              "\"messages\":0,\"bytes\":0,\"end\":\"quit\",\"ms\":...",
      NULL}},
    {MODE_ACCEPT, HELLO "NOOP\nHELP\n", {SESSION "\"commands\":3,...", NULL}},
    {MODE_ACCEPT, "x", {"\"session\",\"session\":\"id-1\",...", NULL}},
    {MODE_DEFER,
     HELLO "MAIL FROM:<a@b>\r\nRCPT TO:<x@y>\r\nQUIT\r\n",
     {ATTEMPT
      "\"from\":\"a@b\",\"rcpts\":[{\"to\":\"x@y\",\"code\":421}],\"code\":421," IN("defer"),
      SESSION "\"commands\":4,\"recipients\":1,\"accepted\":0,\"deferred\":1,...", NULL}},
    {MODE_BOUNCE,
     HELLO "MAIL FROM:<>\r\nRCPT TO:<\"\\\"\"@y>\r\nRCPT TO:<@r:z@y>\r\nRSET\r\n"
           "MAIL FROM:<c@d>\r\nQUIT\r\n",
     {ATTEMPT "\"from\":\"\",\"rcpts\":[{\"to\":\"\\\"\\\\\\\"\\\"@y\",\"code\":550},"
              "{\"to\":\"z@y\",\"code\":550}],\"code\":550," IN("bounce"),
      ATTEMPT "\"from\":\"c@d\",\"rcpts\":[]," IN("bounce"),
      SESSION
      "\"commands\":7,\"recipients\":2,\"accepted\":0,\"deferred\":0,\"rejected\":2,...",
      NULL}},
    {MODE_ACCEPT,
     HELLO "MAIL FROM:<a@b>\r\nRCPT TO:<x@y>\r\nDATA\r\n" MESSAGE_MD,
     {ATTEMPT "\"from\":\"a@b\",\"rcpts\":[{\"to\":\"x@y\",\"code\":250}],\"code\":250,"
              "\"message_id\":\"<1@x>\",\"bytes\":56," IN("accept"),
      SESSION "\"commands\":4,\"recipients\":1,\"accepted\":1,\"deferred\":0,\"rejected\":0,"
              "\"messages\":1,\"bytes\":56,\"end\":\"client\",...",
      NULL}},
    {MODE_ACCEPT_LOG,
     HELLO "MAIL FROM:<a@b>\r\nRCPT TO:<x@y>\r\nRCPT TO:<z@y>\r\nDATA\r\n" MESSAGE_MD,
     {ACCEPTED "\"from\":\"a@b\",\"rcpts\":[\"x@y\",\"z@y\"],\"message_id\":\"<1@x>\","
               "\"bytes\":56,\"headers\":[[\"From\",\"a\"],[\"Message-ID\",\"<1@x>\"],"
               "[\"Subject\",\"one two\"]]," IN("accept-log"),
      ATTEMPT "\"from\":\"a@b\",...", SESSION "...", NULL}},
    {MODE_ACCEPT, /* the client thinks better of it: nothing was delivered */
     HELLO "MAIL FROM:<a@b>\r\nRCPT TO:<x@y>\r\nRSET\r\n",
     {ATTEMPT "\"from\":\"a@b\",\"rcpts\":[{\"to\":\"x@y\",\"code\":250}]," IN("accept"),
      SESSION "...", NULL}},
    {MODE_ACCEPT, /* the client goes before the last dot */
     HELLO "MAIL FROM:<a@b>\r\nRCPT TO:<x@y>\r\nDATA\r\nMessage-ID: <2@x>\r\nSub",
     {ATTEMPT "\"from\":\"a@b\",\"rcpts\":[{\"to\":\"x@y\",\"code\":250}],"
              "\"message_id\":\"<2@x>\",\"bytes\":22," IN("accept"),
      SESSION "...", NULL}},
};

START_TEST(each_session_leaves_its_lines)
{
    struct conversation *c = conversation_play(rows[_i].mode, rows[_i].in, 4096);

    expect_log(c, rows[_i].lines);
    conversation_over(c);
}
END_TEST

START_TEST(bare_lf_is_told)
{
    struct conversation *c = conversation_play(MODE_ACCEPT, "NOOP\nNOOP\r\nQUIT\n", 4096);

    ck_assert_int_eq(conversation_logged(c, "\"bare_lf\":2,\"end\":\"quit\""), 1);
    conversation_over(c);
}
END_TEST

static void expect_short_lines(const struct conversation *c, size_t limit)
{
    for (const char *line = c->log; *line != '\0';) {
        const char *end = strchr(line, '\n');

        ck_assert_uint_le((size_t)(end - line), limit);
        line = end + 1;
    }
}

/* 250 recipients of 250 bytes: their lines stay small enough to need no lock, and none is
   lost. */
START_TEST(many_recipients_make_parts)
{
    struct conversation *c = conversation_in(MODE_ACCEPT_LOG);
    const char *start = HELLO "MAIL FROM:<a@b>\r\n";

    c->limits.recipients = 250;
    conversation_send(c, start, strlen(start));
    for (int i = 0; i < 250; i += 10) {
        char lines[4096];
        int n = 0;

        for (int k = i; k < i + 10; k++) {
            n += snprintf(lines + n, sizeof lines - (size_t)n, "RCPT TO:<%0240d@y>\r\n", k);
        }
        conversation_send(c, lines, (size_t)n);
    }
    conversation_send(c, "DATA\r\n.\r\nQUIT\r\n", 15);
    conversation_run(c);
    expect_short_lines(c, 4096);
    for (int i = 0; i < 250; i++) {
        char text[300];

        snprintf(text, sizeof text, "\"to\":\"%0240d@y\",\"code\":250", i);
        ck_assert_int_eq(conversation_logged(c, text), 1);
    }
    ck_assert_int_eq(conversation_logged(c, "\"code\":250,\"bytes\":0"), 1);
    ck_assert_int_eq(conversation_logged(c, "\"part\":1,"), 2);
    ck_assert_int_eq(conversation_logged(c, "\"part\":2,\"more\":true"), 2);
    conversation_over(c);
}
END_TEST

/* Headers that grow sixfold when they are escaped must not push the line over its limit. */
START_TEST(hostile_headers_are_cut)
{
    struct conversation *c = conversation_in(MODE_ACCEPT_LOG);
    const char *start = HELLO "MAIL FROM:<a@b>\r\nRCPT TO:<x@y>\r\nDATA\r\nA: 1\r\n";
    char bytes[8000];

    memset(bytes, 1, sizeof bytes);
    bytes[0] = 'B';
    bytes[1] = ':';
    conversation_send(c, start, strlen(start));
    conversation_send(c, bytes, sizeof bytes);
    conversation_send(c, "\r\n.\r\nQUIT\r\n", 11);
    conversation_run(c);
    expect_short_lines(c, LOG_LINE_MAX);
    ck_assert_int_eq(
        conversation_logged(c, "\"headers\":[[\"A\",\"1\"]],\"headers_truncated\":true,"), 1);
    conversation_over(c);
}
END_TEST

/* Small ones fill it to the last byte that they may have; what stands behind them needs room.
 */
START_TEST(many_headers_leave_room_for_the_end_of_the_line)
{
    struct conversation *c = conversation_in(MODE_ACCEPT_LOG);
    const char *start = HELLO "MAIL FROM:<a@b>\r\nRCPT TO:<x@y>\r\nDATA\r\n";

    conversation_send(c, start, strlen(start));
    conversation_send_many(c, "X: \x01\r\n", 1200);
    conversation_send(c, "\r\n.\r\nQUIT\r\n", 11);
    conversation_run(c);
    ck_assert_int_eq(conversation_logged(c, "\"headers_truncated\":true"), 1);
    expect_short_lines(c, LOG_LINE_MAX);
    conversation_over(c);
}
END_TEST

START_TEST(a_long_message_id_is_cut)
{
    struct conversation *c = conversation_in(MODE_ACCEPT);
    const char *start = HELLO "MAIL FROM:<a@b>\r\nRCPT TO:<x@y>\r\nDATA\r\n";
    char id[600], want[300];

    snprintf(id, sizeof id, "Message-ID: %0500d\r\n\r\n.\r\n", 0);
    snprintf(want, sizeof want, "\"message_id\":\"%0256d\",", 0);
    conversation_send(c, start, strlen(start));
    conversation_send(c, id, strlen(id));
    conversation_hang_up(c);
    conversation_run(c);
    ck_assert_int_eq(conversation_logged(c, want), 1);
    conversation_over(c);
}
END_TEST

static int logged_before_the_answer;

static void look_at_the_log(void *context, enum session_state state)
{
    struct conversation *c = context;

    conversation_state(c, state);
    if (state == SESSION_COMMAND && (c->states & 1U << SESSION_DATA) != 0) {
        ioctl(c->events, FIONREAD, &logged_before_the_answer);
    }
}

/* A process that is killed may have accepted what it has logged, never the other way round. */
START_TEST(what_is_accepted_is_written_out_before_the_client_knows)
{
    struct conversation *c = conversation_in(MODE_ACCEPT_LOG);
    const char *in = HELLO "MAIL FROM:<a@b>\r\nRCPT TO:<x@y>\r\nDATA\r\n.\r\nQUIT\r\n";

    c->env.state = look_at_the_log;
    conversation_send(c, in, strlen(in));
    conversation_run(c);
    ck_assert_int_gt(logged_before_the_answer, 0);
    conversation_over(c);
}
END_TEST

/* The worst that a client can put into each field at once. */
START_TEST(no_line_passes_its_limit)
{
    struct conversation *c = conversation_in(MODE_ACCEPT_LOG);
    char line[600], fill[400];

    memset(fill, '"', sizeof fill);
    c->limits.command_line = 600;
    snprintf(line, sizeof line, "EHLO %.250s\r\n", fill);
    conversation_send(c, line, strlen(line));
    memset(fill + 1, '\\', sizeof fill - 1);
    snprintf(line, sizeof line, "MAIL FROM:<%.301s\"@%.10s>\r\n", fill, "aaaaaaaaaa");
    conversation_send(c, line, strlen(line));
    snprintf(line, sizeof line, "RCPT TO:<%.301s\"@%.10s>\r\n", fill, "aaaaaaaaaa");
    conversation_send_many(c, line, 20);
    conversation_send(c, "DATA\r\n", 6);
    memset(fill, 0x80, sizeof fill);
    for (int i = 0; i < 100; i++) {
        snprintf(line, sizeof line, "%s: %.100s\r\n", i == 0 ? "Message-ID" : "X", fill);
        conversation_send(c, line, strlen(line));
    }
    conversation_send(c, ".\r\nQUIT\r\n", 9);
    conversation_run(c);
    ck_assert_uint_eq(c->totals.messages, 1);
    ck_assert_uint_eq(c->totals.accepted, 20);
    ck_assert_uint_eq(log_dropped(), 0);
    expect_short_lines(c, LOG_LINE_MAX);
    ck_assert_int_eq(conversation_logged(c, "\"headers_truncated\":true"), 1);
    conversation_over(c);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("record");
    TCase *tc = tcase_create("record");

    tcase_set_timeout(tc, 0);
    tcase_add_loop_test(tc, each_session_leaves_its_lines, 0, sizeof rows / sizeof rows[0]);
    tcase_add_test(tc, bare_lf_is_told);
    tcase_add_test(tc, many_recipients_make_parts);
    tcase_add_test(tc, hostile_headers_are_cut);
    tcase_add_test(tc, many_headers_leave_room_for_the_end_of_the_line);
    tcase_add_test(tc, a_long_message_id_is_cut);
    tcase_add_test(tc, what_is_accepted_is_written_out_before_the_client_knows);
    tcase_add_test(tc, no_line_passes_its_limit);
    suite_add_tcase(s, tc);
    return s;
}

int main(void)
{
    return run_suite(suite());
}
