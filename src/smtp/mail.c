/* The mail transaction: MAIL, RCPT, DATA, and the message itself. */
#include "smtp/mail.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"

#include "smtp/record.h"
#include "smtp/talk.h"

struct reply mail_check_sender(const struct session *s, struct order *order)
{
    if (!s->greeted) {
        return (struct reply){503, "5.5.1 Say HELO or EHLO first"};
    }
    if (s->mail.open) {
        return (struct reply){503, "5.5.1 Nested MAIL command"};
    }
    switch (path_parse(order->command.argument, "FROM:", &order->path)) {
    case PATH_KEYWORD:
        return (struct reply){501, "5.5.4 Syntax: MAIL FROM:<address>"};
    case PATH_SYNTAX:
    case PATH_TRAILER:
        return (struct reply){501, "5.1.7 Bad sender address syntax"};
    case PATH_OK:
        break;
    }
    if (order->path.address.n > 0 && order->path.domain.n == 0) {
        return (struct reply){501, "5.1.7 Sender address has no domain"};
    }
    if (order->path.parameters.n > 0) {
        return (struct reply){555, "5.5.4 MAIL parameters not supported"};
    }
    return reply_none;
}

void mail_take_sender(struct session *s, const struct order *order)
{
    struct transaction *mail = &s->mail;
    uint16_t code =
        talk_answer(s, talk_ask(s, STAGE_MAIL), (struct reply){250, "2.1.0 Sender ok"});

    if (!reply_positive(code)) {
        return;
    }
    *mail = (struct transaction){.open = true};
    mail->roll = roll_over(s->roll_bytes, sizeof s->roll_bytes);
    mail->from_len = order->path.address.n;
    memcpy(mail->from, order->path.address.at, mail->from_len);
    talk_state(s, SESSION_MAIL);
}

/* RFC 5321 4.5.1: the one local part that needs no domain. */
static bool is_recipient(const struct path *path)
{
    return path->domain.n > 0 || span_is(path->address, "postmaster");
}

struct reply mail_check_recipient(const struct session *s, struct order *order)
{
    if (!s->mail.open) {
        return (struct reply){503, "5.5.1 Say MAIL first"};
    }
    switch (path_parse(order->command.argument, "TO:", &order->path)) {
    case PATH_KEYWORD:
        return (struct reply){501, "5.5.4 Syntax: RCPT TO:<address>"};
    case PATH_SYNTAX:
    case PATH_TRAILER:
        return (struct reply){501, "5.1.3 Bad recipient address syntax"};
    case PATH_OK:
        break;
    }
    if (!is_recipient(&order->path)) {
        return (struct reply){501, "5.1.3 Recipient address has no domain"};
    }
    if (order->path.parameters.n > 0) {
        return (struct reply){555, "5.5.4 RCPT parameters not supported"};
    }
    return reply_none;
}

static void count_recipient(struct session *s, uint16_t code)
{
    s->sum.recipients++;
    s->sum.accepted += code / 100 == 2;
    s->sum.deferred += code / 100 == 4;
    s->sum.rejected += code / 100 == 5;
}

static bool is_full(const struct session *s)
{
    return s->mail.accepted >= s->env->limits->recipients || !roll_has_room(&s->mail.roll);
}

/* A refusal needs no room in the transaction, so the policy speaks before the limit does. */
void mail_take_recipient(struct session *s, const struct order *order)
{
    static const struct verdict too_many = {
        .code = 452, .enhanced = {4, 5, 3}, .text = "Too many recipients"};
    static const struct reply own = {250, "2.1.5 Recipient ok"};
    const struct verdict *verdict = talk_ask(s, STAGE_RCPT);
    uint16_t code = verdict->code == 0 ? own.code : verdict->code;

    if (reply_positive(code) && is_full(s)) {
        verdict = &too_many;
        code = too_many.code;
    }
    s->mail.tried++;
    s->mail.accepted += reply_positive(code);
    s->mail.code = s->mail.accepted > 0 ? 0 : code;
    roll_add(&s->mail.roll, order->path.address, code);
    count_recipient(s, code);
    talk_answer(s, verdict, own);
}

struct reply mail_check_data(const struct session *s, struct order *order)
{
    if (order->command.argument.n > 0) {
        return (struct reply){501, "5.5.4 Syntax: DATA takes no argument"};
    }
    if (!s->mail.open) {
        return (struct reply){503, "5.5.1 Say MAIL first"};
    }
    if (s->mail.accepted > 0) {
        return reply_none;
    }
    return s->mail.tried > 0 ? (struct reply){554, "5.5.1 No valid recipients"}
                             : (struct reply){503, "5.5.1 Say RCPT first"};
}

void mail_take_data(struct session *s, const struct order *order)
{
    struct transaction *mail = &s->mail;
    size_t headers = s->env->limits->headers;
    uint16_t code;

    (void)order;
    code = talk_answer(s, talk_ask(s, STAGE_DATA),
                       (struct reply){354, "End data with <CR><LF>.<CR><LF>"});
    if (code / 100 != 3) {
        mail->code = code;
        return;
    }
    mail->has_data = s->in_data = true;
    mail->body = body_start();
    mail->header = header_start(
        s->header_bytes, headers < sizeof s->header_bytes ? headers : SESSION_HEADER_MAX);
    s->until = clock_ms() + s->env->limits->data_ms;
    talk_state(s, SESSION_DATA);
}

/* The sender's log and ours can be laid side by side by the name in this answer. */
static uint16_t answer_message(struct session *s, const struct verdict *verdict)
{
    char text[REPLY_MAX / 2];
    struct buf words = buf_over(text, sizeof text - 1);

    buf_adds(&words, "2.0.0 OK: ");
    buf_adds(&words, s->env->id);
    text[words.len] = '\0';
    return talk_answer(s, verdict, (struct reply){250, text});
}

void mail_take_message(struct session *s)
{
    const struct verdict *verdict = talk_ask(s, STAGE_EOD);
    bool accepted = verdict->code == 0 || reply_positive(verdict->code);

    s->in_data = false;
    s->sum.bytes += s->mail.body.bytes;
    s->sum.messages += accepted;
    if (accepted && (s->policy.policy->flags & POLICY_LOG_MESSAGE) != 0) {
        record_accepted(s);
    }
    s->mail.code = answer_message(s, verdict);
    mail_end(s);
}

void mail_end(struct session *s)
{
    if (!s->mail.open) {
        return;
    }
    s->mail.open = false;
    s->in_data = false;
    record_attempt(s);
    talk_state(s, SESSION_COMMAND);
}
