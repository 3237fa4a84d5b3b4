/* A handler and the program race for the descriptor: whoever exchanges it for -1 writes. */
#include "mode/readiness.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/signals.h"

static _Atomic int waiting_fd = -1;

void readiness_tell(void)
{
    int fd = atomic_exchange(&waiting_fd, -1);
    int kept = errno;

    if (fd >= 0) {
        /* One who has stopped waiting is no error. */
        if (write(fd, "\n", 1) != 1) {
            errno = kept;
        }
        close(fd);
    }
    errno = kept;
}

static void on_alarm(int number)
{
    (void)number;
    readiness_tell();
}

void readiness_promise(int fd, int patience_ms)
{
    struct itimerval once = {
        .it_value = {.tv_sec = patience_ms / 1000, .tv_usec = patience_ms % 1000 * 1000}};

    atomic_store(&waiting_fd, fd);
    if (fd >= 0) {
        fcntl(fd, F_SETFD, FD_CLOEXEC);
        signals_catch(SIGALRM, on_alarm);
        setitimer(ITIMER_REAL, &once, NULL);
    }
}
