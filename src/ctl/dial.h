/* Reaching a daemon under the address that it shows on the board. */
#ifndef CTL_DIAL_H
#define CTL_DIAL_H

#include <stddef.h>
#include <stdint.h>

/* Connects by the deadline to "192.0.2.1:25", "[2001:db8::1]:25" or "unix:/path"; a wildcard
   address means this machine. Returns the connected descriptor, or -1 with a line in why. */
int dial(const char *address, int64_t deadline, char *why, size_t why_size);

#endif
