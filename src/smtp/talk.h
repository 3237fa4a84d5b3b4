/* A session from the inside: its memory, and the words that its parts have in common (say, ask,
   close). Private to this layer. */
#ifndef SMTP_TALK_H
#define SMTP_TALK_H

#include "smtp/body.h"
#include "smtp/header.h"
#include "smtp/line.h"
#include "smtp/path.h"
#include "smtp/reply.h"
#include "smtp/roll.h"
#include "smtp/session.h"

#define TALK_HELO_MAX 255

/* From an accepted MAIL to its end by a message, RSET, a new HELO or the session's end. */
struct transaction {
    bool open;
    bool has_data;   /* a 354 was said */
    size_t waits;    /* for bytes of the message */
    uint64_t tried;  /* RCPT commands that were well-formed */
    size_t accepted; /* recipients */
    uint16_t code;   /* what settled it so far; 0: recipients wait for the message's answer */
    struct roll roll;
    struct body body;
    struct header header;
    size_t from_len;
    char from[PATH_ADDRESS_MAX];
};

struct session {
    /* From here to the storage everything starts as zero. */
    const struct session_env *env;
    const struct wire *wire;
    struct session_policy policy; /* what the last answer was made from */
    int64_t started;
    int64_t deadline; /* for what is being waited for; 0: to be set at the next wait */
    int64_t until;    /* the end of the closing state, or of a whole DATA */
    bool over;        /* `end` is known */
    bool mute;        /* nothing more can be written */
    bool greeted;     /* HELO or EHLO was said and taken */
    bool refused;     /* the greeting was a refusal: only QUIT is of use */
    bool in_data;
    size_t errors; /* commands refused by the protocol */
    enum session_end end;
    struct session_totals sum;
    struct line_reader lines;
    struct transaction mail;
    struct buf in;       /* bytes that came */
    size_t at;           /* how many of them are dealt with */
    struct buf out;      /* replies that wait for the next flush */
    struct buf farewell; /* the 421 that every command gets; empty: not closing */
    size_t helo_len;
    char helo[TALK_HELO_MAX];

    /* Storage: not cleared, and its pages not touched before they are needed. */
    char farewell_bytes[REPLY_MAX];
    char out_bytes[8192];
    char header_bytes[SESSION_HEADER_MAX];
    char in_bytes[SESSION_LINE_MAX];
    char roll_bytes[65536];
};

/* Queues a reply; does nothing for a session that cannot be heard any more. */
void talk_say(struct session *s, struct reply reply);
void talk_say_line(struct session *s, uint16_t code, bool more, const char *text);

/* Writes out what is queued. */
void talk_flush(struct session *s);

/* Asks the policy in force. */
const struct verdict *talk_ask(struct session *s, enum stage stage);

/* Says the policy's answer, or the protocol's own where the policy has none; a 421 begins the
   closing state. Returns the code that was said. */
uint16_t talk_answer(struct session *s, const struct verdict *verdict, struct reply own);

/* The 421 that began the closing state, once more. */
void talk_repeat_farewell(struct session *s);

/* The session is over; the reason that comes first stays. */
void talk_end(struct session *s, enum session_end end);

/* Says a 421 and ends. */
void talk_depart(struct session *s, struct reply reply, enum session_end end);

bool talk_closing(const struct session *s);

/* Tells the board. */
void talk_state(struct session *s, enum session_state state);

#endif
