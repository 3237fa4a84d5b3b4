/* Becoming sinkhole-refresh: the one program that may know the credentials. */
#ifndef SERVER_REFRESHER_EXEC_H
#define SERVER_REFRESHER_EXEC_H

#include "server/settings.h"

/* Opens the program beside this one, or where it was installed; -1 and errno. */
int refresher_program(void);

/* In a fresh child: becomes the program, with the same run directory, source, TTL and log, the
   variables in `secrets` (secrets_take(); -1: none) and the arguments in `also`, which NULL
   ends. Exits when that fails. */
_Noreturn void refresher_exec(int program, const struct settings *settings, int secrets,
                              const char *const also[]);

#endif
