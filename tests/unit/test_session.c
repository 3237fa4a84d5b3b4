/* smtp/session: whole conversations, each answered by exactly what it should be. */
#include "smtp/session.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "conversation.h"
#include "runner.h"

#define EHLO    "250-mx.test\r\n250 HELP\r\n"
#define TO_RCPT "HELO c\r\nMAIL FROM:<a@b>\r\n"

static const struct {
    enum mode mode;
    const char *in, *out; /* out: behind the greeting */
    enum session_end end;
} rows[] = {
    {MODE_ACCEPT, "", "", END_CLIENT},
    {MODE_ACCEPT, "QUIT\r\n", BYE, END_QUIT},
    {MODE_ACCEPT, "quit\n", BYE, END_QUIT},
    {MODE_ACCEPT, "QUIT now\r\n", "501 5.5.4 Syntax: this command takes no argument\r\n",
     END_CLIENT},
    {MODE_ACCEPT, "EHLO c\r\nHELO c\r\n", EHLO HELO, END_CLIENT},
    {MODE_ACCEPT, "HELO\r\nEHLO\r\nEHLO a b\r\n",
     "501 5.5.4 Syntax: HELO or EHLO, and one host name\r\n"
     "501 5.5.4 Syntax: HELO or EHLO, and one host name\r\n"
     "501 5.5.4 Syntax: HELO or EHLO, and one host name\r\n",
     END_CLIENT},
    {MODE_ACCEPT,
     "NOOP\r\nNOOP x y\r\nRSET\r\nHELP\r\nVRFY a\r\nVRFY\r\nEXPN a\r\nNONE\r\n\r\n",
     OK OK OK "214 2.0.0 HELO EHLO MAIL RCPT DATA RSET NOOP QUIT VRFY EXPN HELP\r\n"
              "252 2.1.5 Cannot verify; send a message and see\r\n"
              "501 5.5.4 Syntax: this command needs an argument\r\n"
              "502 5.5.1 EXPN not implemented\r\n"
              "500 5.5.1 Command unrecognized\r\n"
              "500 5.5.1 Command unrecognized\r\n",
     END_CLIENT},
    /* What may come when. */
    {MODE_ACCEPT, "MAIL FROM:<a@b>\r\n", "503 5.5.1 Say HELO or EHLO first\r\n", END_CLIENT},
    {MODE_ACCEPT, "HELO c\r\nRCPT TO:<a@b>\r\nDATA\r\n",
     HELO "503 5.5.1 Say MAIL first\r\n503 5.5.1 Say MAIL first\r\n", END_CLIENT},
    {MODE_ACCEPT, TO_RCPT "MAIL FROM:<c@d>\r\n", HELO MAIL "503 5.5.1 Nested MAIL command\r\n",
     END_CLIENT},
    {MODE_ACCEPT, TO_RCPT "DATA\r\n", HELO MAIL "503 5.5.1 Say RCPT first\r\n", END_CLIENT},
    {MODE_ACCEPT, TO_RCPT "RCPT TO:<x@y>\r\nRSET\r\nDATA\r\nRCPT TO:<x@y>\r\n",
     HELO MAIL RCPT OK "503 5.5.1 Say MAIL first\r\n503 5.5.1 Say MAIL first\r\n", END_CLIENT},
    {MODE_ACCEPT, TO_RCPT "RCPT TO:<x@y>\r\nEHLO c\r\nDATA\r\nMAIL FROM:<>\r\n",
     HELO MAIL RCPT EHLO "503 5.5.1 Say MAIL first\r\n" MAIL, END_CLIENT},
    {MODE_ACCEPT, TO_RCPT "RCPT TO:<x@y>\r\nDATA now\r\nDATA\r\n.\r\nDATA\r\n",
     HELO MAIL RCPT "501 5.5.4 Syntax: DATA takes no argument\r\n" DATA MESSAGE
                    "503 5.5.1 Say MAIL first\r\n",
     END_CLIENT},
    /* Paths and their parameters. */
    {MODE_ACCEPT,
     "HELO c\r\nMAIL FROM:<a@b> SIZE=7\r\nMAIL FROM:<a>\r\nMAIL FROM:<a@b\r\nMAIL\r\n",
     HELO "555 5.5.4 MAIL parameters not supported\r\n"
          "501 5.1.7 Sender address has no domain\r\n"
          "501 5.1.7 Bad sender address syntax\r\n"
          "501 5.5.4 Syntax: MAIL FROM:<address>\r\n",
     END_CLIENT},
    {MODE_ACCEPT,
     TO_RCPT
     "RCPT TO:<a@b> NOTIFY=NEVER\r\nRCPT TO:<a>\r\nRCPT TO:<>\r\nRCPT TO:<a@b>c\r\nRCPT\r\n"
     "RCPT TO:<PostMaster>\r\nRCPT TO:<@r,@s:a@[::1]>\r\n",
     HELO MAIL "555 5.5.4 RCPT parameters not supported\r\n"
               "501 5.1.3 Recipient address has no domain\r\n"
               "501 5.1.3 Recipient address has no domain\r\n"
               "501 5.1.3 Bad recipient address syntax\r\n"
               "501 5.5.4 Syntax: RCPT TO:<address>\r\n" RCPT RCPT,
     END_CLIENT},
    /* The modes. */
    {MODE_ACCEPT, TO_RCPT "RCPT TO:<x@y>\r\nRCPT TO:<z@y>\r\nDATA\r\nhello\r\n.\r\nQUIT\r\n",
     HELO MAIL RCPT RCPT DATA MESSAGE BYE, END_QUIT},
    {MODE_ACCEPT_LOG, TO_RCPT "RCPT TO:<x@y>\r\nDATA\r\nA: b\r\n\r\nhello\r\n.\r\nQUIT\r\n",
     HELO MAIL RCPT DATA MESSAGE BYE, END_QUIT},
    {MODE_BOUNCE, TO_RCPT "RCPT TO:<x@y>\r\nRCPT TO:<z@y>\r\nDATA\r\nQUIT\r\n",
     HELO MAIL BOUNCED BOUNCED "554 5.5.1 No valid recipients\r\n" BYE, END_QUIT},
    {MODE_DEFER, TO_RCPT "RCPT TO:<x@y>\r\nRCPT TO:<z@y>\r\nDATA\r\nFOO\r\nRSET\r\nQUIT\r\n",
     HELO MAIL DEFERRED DEFERRED DEFERRED DEFERRED DEFERRED BYE, END_QUIT},
    {MODE_DEFER, TO_RCPT "RCPT TO:<x@y>\r\n", HELO MAIL DEFERRED, END_CLIENT},
    {MODE_GREYLIST, TO_RCPT "RCPT TO:<x@y>\r\nRCPT TO:<z@y>\r\nQUIT\r\n",
     HELO MAIL "421 4.7.1 Greylisted; try again later\r\n"
               "421 4.7.1 Greylisted; try again later\r\n" BYE,
     END_QUIT},
    /* Two messages in a session; a body that looks like commands. */
    {MODE_ACCEPT,
     TO_RCPT "RCPT TO:<x@y>\r\nDATA\r\nRSET\r\nQUIT\r\n..\r\n.\r\n"
             "MAIL FROM:<>\r\nRCPT TO:<x@y>\r\nDATA\r\n.\r\nQUIT\r\n",
     HELO MAIL RCPT DATA MESSAGE MAIL RCPT DATA MESSAGE BYE, END_QUIT},
    /* A client that goes in the middle. */
    {MODE_ACCEPT, TO_RCPT "RCPT TO:<x@y>\r\nDATA\r\nhello\r\n", HELO MAIL RCPT DATA,
     END_CLIENT},
    {MODE_ACCEPT, TO_RCPT "RCPT TO:<x@y>", HELO MAIL, END_CLIENT},
    /* Bytes that no command has. */
    {MODE_ACCEPT, "NOOP \x80\r\nNOOP\x01\r\nNO\rOP\r\nNOOP\r\r\nNOOP\r\n",
     "500 5.5.2 Syntax error: only printable ASCII is a command\r\n"
     "500 5.5.2 Syntax error: only printable ASCII is a command\r\n"
     "500 5.5.2 Syntax error: only printable ASCII is a command\r\n"
     "500 5.5.2 Syntax error: only printable ASCII is a command\r\n" OK,
     END_CLIENT},
};

/* In one read, a byte a read, and all sizes between that are not boring. */
START_TEST(each_command_gets_its_reply_however_it_comes)
{
    static const size_t pieces[] = {1, 2, 3, 7, 16, 61, 4096};

    for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
        struct conversation *c = conversation_play(rows[_i].mode, rows[_i].in, pieces[i]);

        ck_assert_int_eq(strncmp(c->replies, GREETING, strlen(GREETING)), 0);
        ck_assert_str_eq(c->replies + strlen(GREETING), rows[_i].out);
        ck_assert_int_eq(c->end, rows[_i].end);
        conversation_over(c);
    }
}
END_TEST

/* Performance as a promise: what comes in one read is answered in one write. */
START_TEST(batch_is_answered_in_one_write)
{
    struct conversation *c = conversation_play(
        MODE_ACCEPT, TO_RCPT "RCPT TO:<x@y>\r\nDATA\r\nhello\r\n.\r\nQUIT\r\n", 4096);

    ck_assert_int_eq(c->writes, 2);
    conversation_over(c);
}
END_TEST

START_TEST(more_replies_than_the_buffer_holds_come_all)
{
    struct conversation *c = conversation_in(MODE_ACCEPT);
    size_t length = strlen(OK);

    conversation_send_many(c, "NOOP\n", 1000);
    conversation_hang_up(c);
    conversation_run(c);
    ck_assert_uint_eq(strlen(c->replies), strlen(GREETING) + 1000 * length);
    ck_assert_uint_eq(c->totals.commands, 1000);
    ck_assert_uint_eq(c->totals.bare_lf, 1000);
    conversation_over(c);
}
END_TEST

/* A flip counts at the next answer; what was accepted stays accepted. */
static const struct {
    enum mode greeting, helo, mail, rcpt1, rcpt2, data, eod;
    const char *out;
} flips[] = {
    {MODE_DEFER, MODE_DEFER, MODE_DEFER, MODE_ACCEPT, MODE_BOUNCE, MODE_DEFER, MODE_DEFER,
     GREETING HELO MAIL RCPT BOUNCED DATA MESSAGE},
    {MODE_ACCEPT, MODE_ACCEPT, MODE_ACCEPT, MODE_BOUNCE, MODE_ACCEPT, MODE_BOUNCE, MODE_BOUNCE,
     GREETING HELO MAIL BOUNCED RCPT DATA MESSAGE},
    {MODE_ACCEPT, MODE_ACCEPT, MODE_ACCEPT, MODE_ACCEPT, MODE_DEFER, MODE_ACCEPT, MODE_ACCEPT,
     GREETING HELO MAIL RCPT DEFERRED DEFERRED DEFERRED DEFERRED},
};

START_TEST(mode_is_looked_up_when_an_answer_is_due)
{
    struct conversation *c = conversation_in(MODE_ACCEPT);
    const enum mode modes[] = {flips[_i].greeting, flips[_i].helo,  flips[_i].mail,
                               flips[_i].rcpt1,    flips[_i].rcpt2, flips[_i].data,
                               flips[_i].eod};
    const char *in = TO_RCPT "RCPT TO:<x@y>\r\nRCPT TO:<z@y>\r\nDATA\r\nhello\r\n.\r\n";

    for (int i = 0; i < 7; i++) {
        c->policies[i] = mode_policy(modes[i]);
    }
    conversation_send(c, in, strlen(in));
    conversation_hang_up(c);
    conversation_run(c);
    ck_assert_str_eq(c->replies, flips[_i].out);
    conversation_over(c);
}
END_TEST

START_TEST(greylist_is_asked_once_for_each_answer)
{
    struct conversation *c = conversation_in(MODE_GREYLIST);
    const char *in = TO_RCPT "RCPT TO:<x@y>\r\nRCPT TO:<z@y>\r\nQUIT\r\n";

    c->seen = true;
    conversation_send(c, in, strlen(in));
    conversation_run(c);
    ck_assert_str_eq(c->replies, GREETING HELO MAIL RCPT RCPT BYE);
    ck_assert_int_eq(c->seen_asked, 2);
    conversation_over(c);
}
END_TEST

/* Policies that version 1 does not have: a refusal at any stage. */
static const struct {
    enum stage stage;
    uint16_t code;
    const char *out;
    enum session_end end;
    int attempt; /* the code in its line; 0: there is no line */
} refusals[] = {
    {STAGE_CONNECT, 554,
     "554 5.0.0 no\r\n503 5.5.1 No service here; say QUIT\r\n"
     "503 5.5.1 No service here; say QUIT\r\n503 5.5.1 No service here; say QUIT\r\n"
     "503 5.5.1 No service here; say QUIT\r\n503 5.5.1 No service here; say QUIT\r\n"
     "503 5.5.1 No service here; say QUIT\r\n" BYE,
     END_QUIT, 0},
    {STAGE_CONNECT, 421,
     "421 5.0.0 no\r\n421 5.0.0 no\r\n421 5.0.0 no\r\n421 5.0.0 no\r\n421 5.0.0 no\r\n"
     "421 5.0.0 no\r\n421 5.0.0 no\r\n" BYE,
     END_QUIT, 0},
    {STAGE_HELO, 550,
     GREETING "550 5.0.0 no\r\n503 5.5.1 Say HELO or EHLO first\r\n"
              "503 5.5.1 Say MAIL first\r\n503 5.5.1 Say MAIL first\r\n"
              "500 5.5.1 Command unrecognized\r\n500 5.5.1 Command unrecognized\r\n" BYE,
     END_QUIT, 0},
    {STAGE_MAIL, 451,
     GREETING HELO "451 5.0.0 no\r\n503 5.5.1 Say MAIL first\r\n503 5.5.1 Say MAIL first\r\n"
                   "500 5.5.1 Command unrecognized\r\n500 5.5.1 Command unrecognized\r\n" BYE,
     END_QUIT, 0},
    {STAGE_RCPT, 450,
     GREETING HELO MAIL
     "450 5.0.0 no\r\n554 5.5.1 No valid recipients\r\n"
     "500 5.5.1 Command unrecognized\r\n500 5.5.1 Command unrecognized\r\n" BYE,
     END_QUIT, 450},
    {STAGE_DATA, 550,
     GREETING HELO MAIL RCPT "550 5.0.0 no\r\n500 5.5.1 Command unrecognized\r\n"
                             "500 5.5.1 Command unrecognized\r\n" BYE,
     END_QUIT, 550},
    {STAGE_DATA, 421,
     GREETING HELO MAIL RCPT "421 5.0.0 no\r\n421 5.0.0 no\r\n421 5.0.0 no\r\n" BYE, END_QUIT,
     421},
    {STAGE_EOD, 552, GREETING HELO MAIL RCPT DATA "552 5.0.0 no\r\n" BYE, END_QUIT, 552},
    {STAGE_EOD, 421, GREETING HELO MAIL RCPT DATA "421 5.0.0 no\r\n" BYE, END_QUIT, 421},
    {STAGE_QUIT, 421, GREETING HELO MAIL RCPT DATA MESSAGE "421 5.0.0 no\r\n", END_QUIT, 250},
};

START_TEST(policy_may_refuse_at_any_stage)
{
    struct conversation *c = conversation_in(MODE_ACCEPT);
    struct policy policy = *mode_policy(MODE_ACCEPT_LOG);
    const char *in = TO_RCPT "RCPT TO:<x@y>\r\nDATA\r\nhello\r\n.\r\nQUIT\r\n";
    bool delivered = refusals[_i].stage == STAGE_QUIT;
    char code[32];

    policy.at[refusals[_i].stage][0].verdict =
        (struct verdict){.code = refusals[_i].code, .enhanced = {5, 0, 0}, .text = "no"};
    c->policies[0] = &policy;
    conversation_send(c, in, strlen(in));
    conversation_hang_up(c);
    conversation_run(c);
    ck_assert_str_eq(c->replies, refusals[_i].out);
    ck_assert_int_eq(c->end, refusals[_i].end);
    snprintf(code, sizeof code, "\"code\":%d,", refusals[_i].attempt);
    ck_assert_int_eq(conversation_logged(c, "\"attempt\""), refusals[_i].attempt != 0);
    ck_assert_int_eq(conversation_logged(c, code) > 0, refusals[_i].attempt != 0);
    ck_assert_int_eq(conversation_logged(c, "\"accepted\",\"session\""), delivered);
    ck_assert_uint_eq(c->totals.messages, delivered);
    conversation_over(c);
}
END_TEST

START_TEST(board_is_told_of_each_state)
{
    struct conversation *c =
        conversation_play(MODE_ACCEPT, TO_RCPT "RCPT TO:<x@y>\r\nDATA\r\n.\r\nQUIT\r\n", 4096);

    ck_assert_uint_eq(c->states, 1U << SESSION_COMMAND | 1U << SESSION_MAIL |
                                     1U << SESSION_DATA | 1U << SESSION_CLOSING);
    ck_assert_int_eq(c->state, SESSION_CLOSING);
    conversation_over(c);
}
END_TEST

static void leave_when_closing(void *context, enum session_state state)
{
    struct conversation *c = context;

    if (state == SESSION_CLOSING) {
        shutdown(c->client, SHUT_RD);
    }
}

/* How it ended is what came first: that the last words did not arrive changes nothing. */
START_TEST(the_first_reason_to_end_is_the_one_that_counts)
{
    struct conversation *c = conversation_in(MODE_ACCEPT);

    c->env.state = leave_when_closing;
    conversation_send(c, "QUIT\r\n", 6);
    conversation_run(c);
    ck_assert_ptr_null(strstr(c->replies, BYE));
    ck_assert_int_eq(c->end, END_QUIT);
    conversation_over(c);
}
END_TEST

static char heard_before_closing[64];

static void listen_when_closing(void *context, enum session_state state)
{
    struct conversation *c = context;

    for (size_t have = 0; state == SESSION_CLOSING && have < sizeof heard_before_closing;) {
        ssize_t n = recv(c->client, heard_before_closing + have,
                         sizeof heard_before_closing - 1 - have, MSG_DONTWAIT);

        have += n > 0 ? (size_t)n : sizeof heard_before_closing;
    }
}

/* The master refuses further clients while all workers serve. One that was told 221 may come
   again at once: by then its worker must not count as serving. */
START_TEST(board_is_told_of_the_end_before_the_client)
{
    struct conversation *c = conversation_in(MODE_ACCEPT);

    c->env.state = listen_when_closing;
    conversation_send(c, "QUIT\r\n", 6);
    conversation_run(c);
    ck_assert_str_eq(heard_before_closing, GREETING);
    ck_assert_str_eq(c->replies, BYE);
    conversation_over(c);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("session");
    TCase *tc = tcase_create("conversations");

    tcase_set_timeout(tc, 0);
    tcase_add_loop_test(tc, each_command_gets_its_reply_however_it_comes, 0,
                        sizeof rows / sizeof rows[0]);
    tcase_add_test(tc, batch_is_answered_in_one_write);
    tcase_add_test(tc, more_replies_than_the_buffer_holds_come_all);
    tcase_add_loop_test(tc, mode_is_looked_up_when_an_answer_is_due, 0,
                        sizeof flips / sizeof flips[0]);
    tcase_add_test(tc, greylist_is_asked_once_for_each_answer);
    tcase_add_loop_test(tc, policy_may_refuse_at_any_stage, 0,
                        sizeof refusals / sizeof refusals[0]);
    tcase_add_test(tc, board_is_told_of_each_state);
    tcase_add_test(tc, board_is_told_of_the_end_before_the_client);
    tcase_add_test(tc, the_first_reason_to_end_is_the_one_that_counts);
    suite_add_tcase(s, tc);
    return s;
}

int main(void)
{
    return run_suite(suite());
}
