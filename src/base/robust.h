/* A lock in shared memory that outlives those who die while they hold it. */
#ifndef BASE_ROBUST_H
#define BASE_ROBUST_H

#include <pthread.h>

/* Makes a mutex for many processes; once, by the creator of the memory. Who locks it after its
   owner died gets EOWNERDEAD, repairs, and calls pthread_mutex_consistent(3). */
void robust_mutex_init(pthread_mutex_t *mutex);

#endif
