/* Saying things to the client and asking things of the surroundings. */
#include "smtp/talk.h"

#include "base/clock.h"

#include "smtp/mail.h"

void talk_state(struct session *s, enum session_state state)
{
    s->env->state(s->env->context, state);
}

bool talk_closing(const struct session *s)
{
    return s->farewell.len > 0;
}

void talk_end(struct session *s, enum session_end end)
{
    if (!s->over) {
        s->over = true;
        s->end = end;
    }
}

/* A client that does not take its replies may hold us as long as one that sends no commands;
   last words get no more time than the closing state. */
void talk_flush(struct session *s)
{
    const struct session_limits *limits = s->env->limits;
    int64_t patience = s->over || talk_closing(s) ? limits->closing_ms : limits->command_ms;
    ssize_t n;

    if (s->out.len == 0 || s->mute) {
        return;
    }
    n = wire_write(s->wire, s->out.data, s->out.len, patience);
    s->out.len = 0;
    if (n <= 0) {
        s->mute = true;
        talk_end(s, n == WIRE_TIMEOUT ? END_TIMEOUT : END_CLIENT);
    }
}

static void make_room(struct session *s)
{
    if (buf_room(&s->out) < REPLY_MAX) {
        talk_flush(s);
    }
}

void talk_say_line(struct session *s, uint16_t code, bool more, const char *text)
{
    make_room(s);
    if (!s->mute) {
        reply_add(&s->out, code, more, text);
    }
}

void talk_say(struct session *s, struct reply reply)
{
    talk_say_line(s, reply.code, false, reply.text);
}

const struct verdict *talk_ask(struct session *s, enum stage stage)
{
    struct policy_facts facts = {.first_seen = s->env->first_seen, .context = s->env->context};

    s->policy = s->env->policy(s->env->context);
    return policy_verdict(s->policy.policy, stage, &facts);
}

/* RFC 5321 3.8: 421 says that the channel is closing, so nothing but QUIT is of use after
   it. */
static void begin_closing(struct session *s, const struct verdict *verdict)
{
    s->farewell = buf_over(s->farewell_bytes, sizeof s->farewell_bytes);
    reply_add_verdict(&s->farewell, verdict);
    s->until = clock_ms() + s->env->limits->closing_ms;
    s->mail.code = verdict->code;
    mail_end(s);
    talk_state(s, SESSION_CLOSING);
}

void talk_repeat_farewell(struct session *s)
{
    make_room(s);
    if (!s->mute) {
        buf_add(&s->out, s->farewell.data, s->farewell.len);
    }
}

uint16_t talk_answer(struct session *s, const struct verdict *verdict, struct reply own)
{
    if (verdict->code == 0) {
        talk_say(s, own);
        return own.code;
    }
    make_room(s);
    if (!s->mute) {
        reply_add_verdict(&s->out, verdict);
    }
    if (verdict->code == 421) {
        begin_closing(s, verdict);
    }
    return verdict->code;
}

void talk_depart(struct session *s, struct reply reply, enum session_end end)
{
    talk_say(s, reply);
    s->mail.code = reply.code;
    mail_end(s);
    talk_end(s, end);
}
