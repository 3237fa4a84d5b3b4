/* Run by the build: prints, as C, the seccomp(2) filter of workers and the names of all system
   calls of this machine. Made beforehand, it costs no process anything and needs no library. */
#include <fcntl.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define CALLS_MAX 1024
#define STEPS_MAX 512

/* All that a settled worker does. Calls without a condition cost next to nothing: the kernel
   keeps a map of those that are always allowed. */
static const int allowed[] = {
    SCMP_SYS(epoll_wait), /* waiting for a client */
    SCMP_SYS(epoll_pwait),     SCMP_SYS(accept4),       SCMP_SYS(read), /* serving it */
    SCMP_SYS(write),           SCMP_SYS(sendto),        SCMP_SYS(poll),       SCMP_SYS(ppoll),
    SCMP_SYS(shutdown),        SCMP_SYS(close),         SCMP_SYS(futex), /* greylist and log */
    SCMP_SYS(getpid),          SCMP_SYS(clock_gettime), /* where the vDSO cannot tell */
    SCMP_SYS(rt_sigreturn), /* signals, and what goes on after SIGCONT */
    SCMP_SYS(restart_syscall), SCMP_SYS(setitimer), /* the end */
    SCMP_SYS(munmap),          SCMP_SYS(exit),          SCMP_SYS(exit_group),
};

/* Only with these second arguments. */
static const struct {
    int call;
    unsigned long second;
} narrow[] = {
    {SCMP_SYS(fcntl), F_GETPIPE_SZ}, /* how much room the log's pipe has */
    {SCMP_SYS(ioctl), FIONREAD},
    {SCMP_SYS(setsockopt), IPPROTO_TCP}, /* acknowledging a message at once */
};

static void need(int result, const char *what)
{
    if (result < 0) {
        fprintf(stderr, "filter: unable to %s (%d)\n", what, result);
        exit(111);
    }
}

static scmp_filter_ctx make_filter(void)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_TRAP);

    need(filter != NULL ? 0 : -1, "begin");
    need(seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS), "set");
    for (size_t i = 0; i < sizeof allowed / sizeof allowed[0]; i++) {
        if (allowed[i] >= 0) { /* negative: this machine has no such call */
            need(seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0), "allow a call");
        }
    }
    for (size_t i = 0; i < sizeof narrow / sizeof narrow[0]; i++) {
        need(seccomp_rule_add(filter, SCMP_ACT_ALLOW, narrow[i].call, 1,
                              SCMP_A1(SCMP_CMP_EQ, narrow[i].second)),
             "allow a call with its argument");
    }
    return filter;
}

static void print_filter(scmp_filter_ctx filter)
{
    struct sock_filter steps[STEPS_MAX];
    int file = memfd_create("filter", 0);
    ssize_t size;

    need(file, "make a memory file");
    need(seccomp_export_bpf(filter, file), "export");
    size = pread(file, steps, sizeof steps, 0);
    need(size > 0 && size < (ssize_t)sizeof steps ? 0 : -1, "read the program");
    puts("static const struct sock_filter sandbox_steps[] = {");
    for (size_t i = 0; i < (size_t)size / sizeof steps[0]; i++) {
        printf("    {0x%x, %u, %u, 0x%xu},\n", steps[i].code, steps[i].jt, steps[i].jf,
               steps[i].k);
    }
    puts("};");
}

static void print_names(void)
{
    puts("\nstatic const struct {\n    unsigned number;\n    char name[32];\n} sandbox_calls[] "
         "= {");
    for (int call = 0; call < CALLS_MAX; call++) {
        char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, call);

        if (name != NULL) {
            printf("    {%d, \"%.31s\"},\n", call, name);
        }
        free(name);
    }
    puts("};");
}

int main(void)
{
    scmp_filter_ctx filter = make_filter();

    puts("/* Made by src/server/gen/filter.c. */");
    print_filter(filter);
    print_names();
    seccomp_release(filter);
    return 0;
}
