/* The table of verbs. `check` is the protocol's part: is the command well-formed, and may it
   come now? It changes nothing. `proceed` asks the policy, answers and does. */
#include "smtp/verbs.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"

#include "smtp/command.h"
#include "smtp/record.h"
#include "smtp/talk.h"

/* A parsed command and the path that its check found in it. */
struct order {
    struct command command;
    struct path path;
};

struct row {
    /* The refusal, or one with code 0. */
    struct reply (*check)(const struct session *s, struct order *order);
    void (*proceed)(struct session *s, const struct order *order);
};

static const struct reply fine = {0, ""};
static const struct reply takes_none = {501, "5.5.4 Syntax: this command takes no argument"};
static const struct reply needs_one = {501, "5.5.4 Syntax: this command needs an argument"};

static struct reply check_nothing(const struct session *s, struct order *order)
{
    (void)s;
    (void)order;
    return fine;
}

static struct reply check_bare(const struct session *s, struct order *order)
{
    (void)s;
    return order->command.argument.n > 0 ? takes_none : fine;
}

static struct reply check_argument(const struct session *s, struct order *order)
{
    (void)s;
    return order->command.argument.n == 0 ? needs_one : fine;
}

static struct reply check_unknown(const struct session *s, struct order *order)
{
    (void)s;
    (void)order;
    return (struct reply){500, "5.5.1 Command unrecognized"};
}

static struct reply check_expn(const struct session *s, struct order *order)
{
    (void)s;
    (void)order;
    return (struct reply){502, "5.5.1 EXPN not implemented"};
}

static struct reply check_helo(const struct session *s, struct order *order)
{
    struct span name = order->command.argument;

    (void)s;
    if (name.n == 0 || name.n > TALK_HELO_MAX || memchr(name.at, ' ', name.n) != NULL) {
        return (struct reply){501, "5.5.4 Syntax: HELO or EHLO, and one host name"};
    }
    return fine;
}

static void remember_helo(struct session *s, struct span name)
{
    memcpy(s->helo, name.at, name.n);
    s->helo_len = name.n;
}

/* RFC 5321 4.1.4: an EHLO in the middle does what RSET does. */
static void proceed_helo(struct session *s, const struct order *order)
{
    const struct verdict *verdict;

    talk_end_mail(s);
    remember_helo(s, order->command.argument);
    verdict = talk_ask(s, STAGE_HELO);
    if (verdict->code == 0 && order->command.verb == VERB_EHLO) {
        talk_say_line(s, 250, true, s->env->server_name);
        talk_say_line(s, 250, false, "HELP");
        s->greeted = true;
        return;
    }
    s->greeted =
        reply_positive(talk_answer(s, verdict, (struct reply){250, s->env->server_name}));
}

static struct reply check_mail(const struct session *s, struct order *order)
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
    return fine;
}

static void proceed_mail(struct session *s, const struct order *order)
{
    struct transaction *mail = &s->mail;
    uint16_t code =
        talk_answer(s, talk_ask(s, STAGE_MAIL), (struct reply){250, "2.1.0 Sender ok"});

    if (!reply_positive(code)) {
        return;
    }
    *mail = (struct transaction){.open = true, .code = code};
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

static struct reply check_rcpt(const struct session *s, struct order *order)
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
    return fine;
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
static void proceed_rcpt(struct session *s, const struct order *order)
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
    s->mail.code = code;
    roll_add(&s->mail.roll, order->path.address, code);
    count_recipient(s, code);
    talk_answer(s, verdict, own);
}

static struct reply check_data(const struct session *s, struct order *order)
{
    if (order->command.argument.n > 0) {
        return takes_none;
    }
    if (s->mail.accepted > 0) {
        return fine;
    }
    if (s->mail.tried > 0) {
        return (struct reply){554, "5.5.1 No valid recipients"};
    }
    return (struct reply){503, s->mail.open ? "5.5.1 Say RCPT first" : "5.5.1 Say MAIL first"};
}

static void proceed_data(struct session *s, const struct order *order)
{
    struct transaction *mail = &s->mail;
    size_t headers = s->env->limits->headers;

    (void)order;
    mail->code = talk_answer(s, talk_ask(s, STAGE_DATA),
                             (struct reply){354, "End data with <CR><LF>.<CR><LF>"});
    if (mail->code / 100 != 3) {
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

    snprintf(text, sizeof text, "2.0.0 OK: %s", s->env->id);
    return talk_answer(s, verdict, (struct reply){250, text});
}

void verbs_message(struct session *s)
{
    const struct verdict *verdict = talk_ask(s, STAGE_EOD);
    bool accepted = verdict->code == 0 || reply_positive(verdict->code);

    s->in_data = false;
    s->sum.bytes += s->mail.body.bytes;
    s->sum.messages += accepted;
    header_finish(&s->mail.header);
    if (accepted && (s->policy.policy->flags & POLICY_LOG_MESSAGE) != 0) {
        record_accepted(s);
    }
    s->mail.code = answer_message(s, verdict);
    talk_end_mail(s);
}

static void proceed_rset(struct session *s, const struct order *order)
{
    (void)order;
    talk_end_mail(s);
    talk_say(s, (struct reply){250, "2.0.0 OK"});
}

static void proceed_noop(struct session *s, const struct order *order)
{
    (void)order;
    talk_say(s, (struct reply){250, "2.0.0 OK"});
}

static void proceed_quit(struct session *s, const struct order *order)
{
    (void)order;
    talk_answer(s, talk_ask(s, STAGE_QUIT), (struct reply){221, "2.0.0 Bye"});
    talk_end(s, END_QUIT);
}

static void proceed_vrfy(struct session *s, const struct order *order)
{
    (void)order;
    talk_say(s, (struct reply){252, "2.1.5 Cannot verify; send a message and see"});
}

static void proceed_help(struct session *s, const struct order *order)
{
    (void)order;
    talk_say(
        s, (struct reply){214, "2.0.0 HELO EHLO MAIL RCPT DATA RSET NOOP QUIT VRFY EXPN HELP"});
}

static const struct row rows[VERB_COUNT] = {
    [VERB_UNKNOWN] = {check_unknown, NULL},   [VERB_HELO] = {check_helo, proceed_helo},
    [VERB_EHLO] = {check_helo, proceed_helo}, [VERB_MAIL] = {check_mail, proceed_mail},
    [VERB_RCPT] = {check_rcpt, proceed_rcpt}, [VERB_DATA] = {check_data, proceed_data},
    [VERB_RSET] = {check_bare, proceed_rset}, [VERB_NOOP] = {check_nothing, proceed_noop},
    [VERB_QUIT] = {check_bare, proceed_quit}, [VERB_VRFY] = {check_argument, proceed_vrfy},
    [VERB_EXPN] = {check_expn, NULL},         [VERB_HELP] = {check_nothing, proceed_help},
};

static void refuse(struct session *s, struct reply refusal)
{
    size_t limit = s->env->limits->errors;

    s->errors++;
    if (limit > 0 && s->errors > limit) {
        talk_depart(s, (struct reply){421, "4.7.0 Too many errors"}, END_ABUSE);
    } else {
        talk_say(s, refusal);
    }
}

/* After a 421, and after a greeting that was a refusal (RFC 5321 3.1), only QUIT is of use. */
static void obey_deaf(struct session *s, enum verb verb)
{
    if (verb == VERB_QUIT) {
        talk_say(s, (struct reply){221, "2.0.0 Bye"});
        talk_end(s, END_QUIT);
    } else if (talk_closing(s)) {
        talk_repeat_farewell(s);
    } else {
        refuse(s, (struct reply){503, "5.5.1 No service here; say QUIT"});
    }
}

void verbs_obey(struct session *s, struct span line)
{
    struct order order;
    struct reply refusal = {500, "5.5.2 Syntax error: only printable ASCII is a command"};

    s->sum.commands++;
    if (command_parse(line, &order.command)) {
        refusal = rows[order.command.verb].check(s, &order);
    }
    if (talk_closing(s) || s->refused) {
        obey_deaf(s, order.command.verb);
    } else if (refusal.code != 0) {
        refuse(s, refusal);
    } else {
        rows[order.command.verb].proceed(s, &order);
    }
}

void verbs_too_long(struct session *s)
{
    s->sum.commands++;
    if (talk_closing(s) || s->refused) {
        obey_deaf(s, VERB_UNKNOWN);
    } else {
        refuse(s, (struct reply){500, "5.5.2 Line too long"});
    }
}
