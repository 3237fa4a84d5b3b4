/* smtp/session: what bounds a session: sizes, times, clients that do not behave, and the
   stop. */
#include "smtp/session.h"

#include <check.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "conversation.h"
#include "runner.h"

#define TO_RCPT "HELO c\r\nMAIL FROM:<a@b>\r\n"

START_TEST(line_over_the_limit_gets_one_500_and_the_session_goes_on)
{
    struct conversation *c = conversation_in(MODE_ACCEPT);
    char big[5000];

    memset(big, 'x', sizeof big);
    for (int i = 0; i < 10; i++) {
        conversation_send(c, big, sizeof big);
    }
    conversation_send(c, "\r\nNOOP\r\n", 8);
    conversation_hang_up(c);
    conversation_run(c);
    ck_assert_str_eq(c->replies, GREETING "500 5.5.2 Line too long\r\n" OK);
    ck_assert_uint_eq(c->totals.commands, 2);
    conversation_over(c);
}
END_TEST

START_TEST(line_over_the_limit_behind_a_421_gets_it_again)
{
    struct conversation *c = conversation_in(MODE_DEFER);
    char big[600];

    memset(big, 'x', sizeof big);
    conversation_send(c, TO_RCPT "RCPT TO:<x@y>\r\n", strlen(TO_RCPT) + 15);
    conversation_send(c, big, sizeof big);
    conversation_send(c, "\r\nQUIT\r\n", 8);
    conversation_run(c);
    ck_assert_str_eq(c->replies, GREETING HELO MAIL DEFERRED DEFERRED BYE);
    conversation_over(c);
}
END_TEST

START_TEST(a_host_name_has_255_bytes_at_most)
{
    for (int n = 255; n <= 256; n++) {
        struct conversation *c = conversation_in(MODE_ACCEPT);
        char line[300];

        snprintf(line, sizeof line, "HELO %0*d\r\n", n, 0);
        conversation_send(c, line, strlen(line));
        conversation_hang_up(c);
        conversation_run(c);
        ck_assert_str_eq(c->replies + strlen(GREETING),
                         n == 255 ? HELO
                                  : "501 5.5.4 Syntax: HELO or EHLO, and one host name\r\n");
        conversation_over(c);
    }
}
END_TEST

/* Whoever is accepted is also in the log: room for that bounds a transaction too. */
START_TEST(recipients_that_no_log_line_could_name_get_452)
{
    struct conversation *c = conversation_in(MODE_ACCEPT);
    char line[400];
    size_t named = 0;

    snprintf(line, sizeof line, "RCPT TO:<%0250d@y>\r\n", 0);
    c->limits.recipients = 100000;
    conversation_send(c, TO_RCPT, strlen(TO_RCPT));
    conversation_send_many(c, line, 400);
    conversation_hang_up(c);
    conversation_run(c);
    ck_assert_uint_gt(c->totals.accepted, 100);
    ck_assert_uint_eq(c->totals.deferred, 400 - c->totals.accepted);
    ck_assert_uint_gt(c->totals.deferred, 0);
    ck_assert_ptr_nonnull(strstr(c->replies, "452 4.5.3 Too many recipients\r\n"));
    for (const char *at = c->log; (at = strstr(at, "\"code\":250}")) != NULL; at++) {
        named++;
    }
    ck_assert_uint_eq(named, c->totals.accepted);
    conversation_over(c);
}
END_TEST

START_TEST(recipients_over_the_limit_get_452)
{
    struct conversation *c = conversation_in(MODE_ACCEPT);
    const char *in = TO_RCPT "RCPT TO:<x@y>\r\nRCPT TO:<y@y>\r\nRCPT TO:<z@y>\r\nDATA\r\n.\r\n";

    c->limits.recipients = 2;
    conversation_send(c, in, strlen(in));
    conversation_hang_up(c);
    conversation_run(c);
    ck_assert_str_eq(c->replies, GREETING HELO MAIL RCPT RCPT
                     "452 4.5.3 Too many recipients\r\n" DATA MESSAGE);
    ck_assert_uint_eq(c->totals.recipients, 3);
    ck_assert_uint_eq(c->totals.accepted, 2);
    ck_assert_uint_eq(c->totals.deferred, 1);
    conversation_over(c);
}
END_TEST

/* A limit must not change what a policy says. */
START_TEST(refusals_do_not_run_out)
{
    struct conversation *c = conversation_in(MODE_BOUNCE);
    char line[400];

    snprintf(line, sizeof line, "RCPT TO:<%0250d@y>\r\n", 0);
    c->limits.recipients = 2;
    conversation_send(c, TO_RCPT, strlen(TO_RCPT));
    conversation_send_many(c, line, 400);
    conversation_hang_up(c);
    conversation_run(c);
    ck_assert_uint_eq(c->totals.rejected, 400);
    ck_assert_ptr_null(strstr(c->replies, "452"));
    ck_assert_int_eq(conversation_logged(c, "\"unlisted\":"), 1);
    conversation_over(c);
}
END_TEST

START_TEST(errors_over_the_limit_end_the_session)
{
    struct conversation *c = conversation_in(MODE_ACCEPT);

    c->limits.errors = 2;
    conversation_send(c, "FOO\r\nNOOP\r\nDATA\r\nFOO\r\nNOOP\r\n", 29);
    conversation_hang_up(c);
    conversation_run(c);
    ck_assert_str_eq(c->replies,
                     GREETING "500 5.5.1 Command unrecognized\r\n" OK
                              "503 5.5.1 Say MAIL first\r\n421 4.7.0 Too many errors\r\n");
    ck_assert_int_eq(c->end, END_ABUSE);
    conversation_over(c);
}
END_TEST

START_TEST(silent_client_is_told_of_its_timeout)
{
    struct conversation *c = conversation_in(MODE_ACCEPT);

    c->limits.command_ms = 20;
    c->limits.drain_ms = 20;
    conversation_send(c, TO_RCPT "RCPT", strlen(TO_RCPT) + 4);
    conversation_run(c);
    ck_assert_str_eq(c->replies, GREETING HELO MAIL TIMEOUT);
    ck_assert_int_eq(c->end, END_TIMEOUT);
    ck_assert_int_eq(conversation_logged(c, "\"code\":421"), 1);
    conversation_over(c);
}
END_TEST

static enum session_stop slowly(void *context)
{
    (void)context;
    poll(NULL, 0, 10);
    return STOP_NO;
}

/* Its bytes are all there, but each is asked for 10 ms after the one before. */
START_TEST(bytes_that_keep_coming_do_not_stretch_a_command)
{
    struct conversation *c = conversation_in(MODE_ACCEPT);

    c->limits.command_ms = 100;
    c->limits.drain_ms = 20;
    c->env.stopping = slowly;
    for (int i = 0; i < 100; i++) {
        conversation_send(c, "x", 1);
    }
    conversation_hang_up(c);
    conversation_run(c);
    ck_assert_str_eq(c->replies, GREETING TIMEOUT);
    ck_assert_int_eq(c->end, END_TIMEOUT);
    conversation_over(c);
}
END_TEST

START_TEST(each_command_has_a_time_of_its_own)
{
    struct conversation *c = conversation_in(MODE_ACCEPT);

    c->limits.command_ms = 100;
    c->env.stopping = slowly;
    for (int i = 0; i < 50; i++) {
        conversation_send(c, "NOOP\r\n", 6);
    }
    conversation_hang_up(c);
    conversation_run(c);
    ck_assert_uint_eq(c->totals.commands, 50);
    ck_assert_int_eq(c->end, END_CLIENT);
    conversation_over(c);
}
END_TEST

START_TEST(message_has_a_time_between_bytes_and_a_time_in_all)
{
    for (int gap = 0; gap < 2; gap++) {
        struct conversation *c = conversation_in(MODE_ACCEPT);
        const char *in = TO_RCPT "RCPT TO:<x@y>\r\nDATA\r\nhello";

        *(gap ? &c->limits.data_gap_ms : &c->limits.data_ms) = 20;
        c->limits.drain_ms = 20;
        conversation_send(c, in, strlen(in));
        conversation_run(c);
        ck_assert_str_eq(c->replies, GREETING HELO MAIL RCPT DATA TIMEOUT);
        ck_assert_int_eq(c->end, END_TIMEOUT);
        conversation_over(c);
    }
}
END_TEST

START_TEST(closing_session_ends_by_itself)
{
    struct conversation *c = conversation_in(MODE_DEFER);

    c->limits.closing_ms = 20;
    c->limits.drain_ms = 20;
    conversation_send(c, TO_RCPT "RCPT TO:<x@y>\r\n", strlen(TO_RCPT) + 15);
    conversation_run(c);
    ck_assert_str_eq(c->replies, GREETING HELO MAIL DEFERRED);
    ck_assert_int_eq(c->end, END_421);
    ck_assert_int_eq(c->state, SESSION_CLOSING);
    conversation_over(c);
}
END_TEST

/* The last words, then the end of our side, then the client's bytes are taken until it
   closes. */
START_TEST(unread_input_is_drained)
{
    struct conversation *c = conversation_in(MODE_ACCEPT);
    char byte;

    conversation_send(c, "QUIT\r\nNOOP\r\n", 12);
    conversation_send(c, "NOOP\r\n", 6);
    conversation_hang_up(c);
    c->end = session_run(c->memory, &c->env, &c->wire, &c->totals);
    ck_assert_int_eq(recv(c->wire.in, &byte, 1, MSG_DONTWAIT), 0);
    conversation_over(c);
}
END_TEST

START_TEST(plain_quit_needs_no_drain)
{
    struct conversation *c = conversation_in(MODE_ACCEPT);
    char byte;

    conversation_send(c, "QUIT\r\n", 6);
    conversation_send(c, "x", 1);
    c->end = session_run(c->memory, &c->env, &c->wire, &c->totals);
    ck_assert_int_eq(recv(c->wire.in, &byte, 1, MSG_DONTWAIT), 1);
    conversation_over(c);
}
END_TEST

/* A client that takes no replies: some 140 kB of them, which no socket buffer here holds. */
static enum session_end flood(struct conversation *c, const char *start)
{
    int size = 4096;

    ck_assert_int_eq(setsockopt(c->wire.out, SOL_SOCKET, SO_SNDBUF, &size, sizeof size), 0);
    conversation_send(c, start, strlen(start));
    conversation_send_many(c, "NOOP\n", 10000);
    return session_run(c->memory, &c->env, &c->wire, &c->totals);
}

/* It holds the session no longer than one that sends no commands. */
START_TEST(client_that_does_not_read_is_left)
{
    struct conversation *c = conversation_in(MODE_ACCEPT);

    c->limits.command_ms = 20;
    ck_assert_int_eq(flood(c, "HELO c\r\n"), END_TIMEOUT);
    conversation_over(c);
}
END_TEST

/* And behind a 421 no longer than the closing state lasts. */
START_TEST(client_that_does_not_read_its_421_is_left)
{
    struct conversation *c = conversation_in(MODE_DEFER);

    c->limits.command_ms = CLOCK_NEVER / 2;
    c->limits.closing_ms = 20;
    ck_assert_int_eq(flood(c, TO_RCPT "RCPT TO:<x@y>\r\n"), END_TIMEOUT);
    conversation_over(c);
}
END_TEST

static const struct {
    enum session_stop stop;
    enum session_state when;
    const char *out;
} stops[] = {
    {STOP_IDLE, SESSION_IDLE, GREETING STOPPED},
    {STOP_NOW, SESSION_IDLE, GREETING STOPPED},
    {STOP_IDLE, SESSION_MAIL, GREETING HELO MAIL RCPT DATA MESSAGE STOPPED},
    {STOP_IDLE, SESSION_DATA, GREETING HELO MAIL RCPT DATA MESSAGE STOPPED},
    {STOP_NOW, SESSION_MAIL, GREETING HELO MAIL STOPPED},
};

START_TEST(stop_waits_for_a_transaction_if_it_may)
{
    struct conversation *c = conversation_in(MODE_ACCEPT);
    const char *in = TO_RCPT "RCPT TO:<x@y>\r\nDATA\r\nhello\r\n.\r\nNOOP\r\n";

    c->stop = stops[_i].stop;
    c->stop_when = stops[_i].when;
    conversation_send(c, in, strlen(in));
    conversation_hang_up(c);
    conversation_run(c);
    ck_assert_str_eq(c->replies, stops[_i].out);
    ck_assert_int_eq(c->end, END_SHUTDOWN);
    conversation_over(c);
}
END_TEST

START_TEST(stop_at_once_interrupts_a_message)
{
    struct conversation *c = conversation_in(MODE_ACCEPT);
    const char *in = TO_RCPT "RCPT TO:<x@y>\r\nDATA\r\nhello\r\n";

    c->stop = STOP_NOW;
    c->stop_when = SESSION_DATA;
    conversation_send(c, in, strlen(in));
    conversation_hang_up(c);
    conversation_run(c);
    ck_assert_str_eq(c->replies, GREETING HELO MAIL RCPT DATA STOPPED);
    ck_assert_int_eq(conversation_logged(c, "\"end\":\"shutdown\""), 1);
    conversation_over(c);
}
END_TEST

/* It has said 421 already: there is nothing to add. */
START_TEST(stop_ends_a_closing_session)
{
    struct conversation *c = conversation_in(MODE_DEFER);
    const char *in = TO_RCPT "RCPT TO:<x@y>\r\nNOOP\r\n";

    c->stop = STOP_IDLE;
    c->stop_when = SESSION_CLOSING;
    conversation_send(c, in, strlen(in));
    conversation_hang_up(c);
    conversation_run(c);
    ck_assert_str_eq(c->replies, GREETING HELO MAIL DEFERRED);
    ck_assert_int_eq(c->end, END_421);
    conversation_over(c);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("limits");
    TCase *tc = tcase_create("limits");

    tcase_set_timeout(tc, 0);
    tcase_add_test(tc, line_over_the_limit_gets_one_500_and_the_session_goes_on);
    tcase_add_test(tc, line_over_the_limit_behind_a_421_gets_it_again);
    tcase_add_test(tc, a_host_name_has_255_bytes_at_most);
    tcase_add_test(tc, recipients_that_no_log_line_could_name_get_452);
    tcase_add_test(tc, recipients_over_the_limit_get_452);
    tcase_add_test(tc, refusals_do_not_run_out);
    tcase_add_test(tc, errors_over_the_limit_end_the_session);
    tcase_add_test(tc, silent_client_is_told_of_its_timeout);
    tcase_add_test(tc, bytes_that_keep_coming_do_not_stretch_a_command);
    tcase_add_test(tc, each_command_has_a_time_of_its_own);
    tcase_add_test(tc, message_has_a_time_between_bytes_and_a_time_in_all);
    tcase_add_test(tc, closing_session_ends_by_itself);
    tcase_add_test(tc, unread_input_is_drained);
    tcase_add_test(tc, plain_quit_needs_no_drain);
    tcase_add_test(tc, client_that_does_not_read_is_left);
    tcase_add_test(tc, client_that_does_not_read_its_421_is_left);
    tcase_add_loop_test(tc, stop_waits_for_a_transaction_if_it_may, 0,
                        sizeof stops / sizeof stops[0]);
    tcase_add_test(tc, stop_at_once_interrupts_a_message);
    tcase_add_test(tc, stop_ends_a_closing_session);
    suite_add_tcase(s, tc);
    return s;
}

int main(void)
{
    return run_suite(suite());
}
