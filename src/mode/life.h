/* Who lives, by what stands on the board: a process id, and when its owner marked the board
   last. An id alone would also be that of a stranger, who got it after the owner was killed and
   nobody was left to clear it, or of a zombie that nobody reaps. */
#ifndef MODE_LIFE_H
#define MODE_LIFE_H

#include <stdbool.h>
#include <stdint.h>

#include "mode/board.h"

/* Does the daemon's master, or its refresher, run, and has it marked the board within the last
   within_ms? Anybody who reads the board may ask. */
bool life_of_master(const struct board *board, int64_t within_ms);
bool life_of_refresher(const struct board *board, int64_t within_ms);

#endif
