/* The events that a session writes into the log: `session`, `attempt` and `accepted`. */
#ifndef SMTP_RECORD_H
#define SMTP_RECORD_H

struct session;

/* One mail transaction, whatever became of it. Many recipients make several lines ("part"). */
void record_attempt(const struct session *s);

/* A message that is about to be accepted, its headers included; written out before this
   returns, so that no acceptance goes unlogged. Many recipients make several lines. */
void record_accepted(const struct session *s);

/* The whole session, once it is over. Nothing for a client that sent nothing: a health
   check. */
void record_session(const struct session *s);

#endif
