/* pthread_mutexattr_setpshared(3) and pthread_mutexattr_setrobust(3) together. */
#include "base/robust.h"

void robust_mutex_init(pthread_mutex_t *mutex)
{
    pthread_mutexattr_t kind;

    pthread_mutexattr_init(&kind);
    pthread_mutexattr_setpshared(&kind, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setrobust(&kind, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(mutex, &kind);
    pthread_mutexattr_destroy(&kind);
}
