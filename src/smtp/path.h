/* The addresses in MAIL FROM:<...> and RCPT TO:<...> (RFC 5321 4.1.2). */
#ifndef SMTP_PATH_H
#define SMTP_PATH_H

#include "smtp/span.h"

#define PATH_ADDRESS_MAX 320 /* 64 for the local part, '@', 255 for the domain */

enum path_result {
    PATH_OK,
    PATH_KEYWORD, /* no FROM: or TO: with something in angle brackets behind it */
    PATH_SYNTAX,  /* what is in the brackets is no address, or a longer one than we keep */
    PATH_TRAILER, /* text right behind the closing bracket, or parameters that are none */
};

struct path {
    struct span address;    /* local@domain, the source route stripped; empty: the null path */
    struct span domain;     /* behind the '@', with the brackets of a literal; empty: none */
    struct span parameters; /* ESMTP's, behind the bracket; empty: none */
};

/* Reads a path behind the keyword ("FROM:", "TO:"), which any case will do for. A local part
   without a domain is a path too: the caller says which of them it takes. Dots may stand
   anywhere in a local part, since real senders have them there. */
enum path_result path_parse(struct span argument, const char *keyword, struct path *out);

#endif
