/* The variables that only the refresher may know: AWS credentials, and proxies, whose addresses
   may hold a password. The master moves them out of its memory into a memfd before it forks
   anything, and every new refresher reads them there. */
#ifndef SERVER_SECRETS_H
#define SERVER_SECRETS_H

/* Takes the secret variables out of the environment, overwrites them in place (so that
   /proc/PID/environ and forked children do not have them), and returns a read-only,
   close-on-exec descriptor with them as NAME=value strings with NULs between; or -1 with
   errno. */
int secrets_take(void);

#endif
