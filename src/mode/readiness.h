/* One newline to whoever waits for us to be ready, no later than promised, even when this
   process is busy in a call that blocks. Uses SIGALRM. */
#ifndef MODE_READINESS_H
#define MODE_READINESS_H

/* Takes fd over, and tells by itself after patience_ms. -1: nobody waits. */
void readiness_promise(int fd, int patience_ms);

/* Tells now, unless it is told already. */
void readiness_tell(void);

#endif
