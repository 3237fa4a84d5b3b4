/* The table of verbs. `check` is the protocol's part: is the command well-formed, and may it
   come now? It changes nothing. `proceed` asks the policy, answers and does. */
#include "smtp/verbs.h"

#include <string.h>

#include "smtp/mail.h"
#include "smtp/talk.h"

struct row {
    /* The refusal, or one with code 0. */
    struct reply (*check)(const struct session *s, struct order *order);
    void (*proceed)(struct session *s, const struct order *order);
};

static const struct reply takes_none = {501, "5.5.4 Syntax: this command takes no argument"};
static const struct reply needs_one = {501, "5.5.4 Syntax: this command needs an argument"};

static struct reply check_nothing(const struct session *s, struct order *order)
{
    (void)s;
    (void)order;
    return reply_none;
}

static struct reply check_bare(const struct session *s, struct order *order)
{
    (void)s;
    return order->command.argument.n > 0 ? takes_none : reply_none;
}

static struct reply check_argument(const struct session *s, struct order *order)
{
    (void)s;
    return order->command.argument.n == 0 ? needs_one : reply_none;
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
    return reply_none;
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

    mail_end(s);
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

static void proceed_rset(struct session *s, const struct order *order)
{
    (void)order;
    mail_end(s);
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
    [VERB_UNKNOWN] = {check_unknown, NULL},
    [VERB_HELO] = {check_helo, proceed_helo},
    [VERB_EHLO] = {check_helo, proceed_helo},
    [VERB_MAIL] = {mail_check_sender, mail_take_sender},
    [VERB_RCPT] = {mail_check_recipient, mail_take_recipient},
    [VERB_DATA] = {mail_check_data, mail_take_data},
    [VERB_RSET] = {check_bare, proceed_rset},
    [VERB_NOOP] = {check_nothing, proceed_noop},
    [VERB_QUIT] = {check_bare, proceed_quit},
    [VERB_VRFY] = {check_argument, proceed_vrfy},
    [VERB_EXPN] = {check_expn, NULL},
    [VERB_HELP] = {check_nothing, proceed_help},
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
