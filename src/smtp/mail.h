/* The mail transaction: what MAIL, RCPT and DATA check and do, and what becomes of the
   message. */
#ifndef SMTP_MAIL_H
#define SMTP_MAIL_H

#include "smtp/reply.h"
#include "smtp/verbs.h"

/* Checks, and the orders that passed them, for the table of verbs. */
struct reply mail_check_sender(const struct session *s, struct order *order);
struct reply mail_check_recipient(const struct session *s, struct order *order);
struct reply mail_check_data(const struct session *s, struct order *order);
void mail_take_sender(struct session *s, const struct order *order);
void mail_take_recipient(struct session *s, const struct order *order);
void mail_take_data(struct session *s, const struct order *order);

/* Answers the message whose last dot has come. */
void mail_take_message(struct session *s);

/* Ends the open transaction, if there is one, and logs the attempt. */
void mail_end(struct session *s);

#endif
