/* The places of an SMTP session at which a policy may speak. */
#ifndef MODE_STAGE_H
#define MODE_STAGE_H

enum stage {
    STAGE_CONNECT, /* the greeting */
    STAGE_HELO,    /* HELO or EHLO */
    STAGE_MAIL,
    STAGE_RCPT,
    STAGE_DATA, /* the 354 */
    STAGE_EOD,  /* the answer to the final dot */
    STAGE_QUIT,
    STAGE_COUNT,
};

#endif
