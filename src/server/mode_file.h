/* The file that the mode comes from where nobody says otherwise: `mode` in the run
   directory. */
#ifndef SERVER_MODE_FILE_H
#define SERVER_MODE_FILE_H

#include "server/settings.h"

/* Makes it, where it is the source and is not there: a new one says what is served anyway, so
   that there is something to look at and to edit. A failure is for those to report who read
   it. */
void mode_file_make(const struct settings *settings);

#endif
