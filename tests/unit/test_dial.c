/* ctl: reaching a daemon under the address that it shows. */
#include <arpa/inet.h>
#include <check.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "ctl/dial.h"
#include "runner.h"

#define PATIENCE_MS 30000

static int dial_soon(const char *address, char why[128])
{
    why[0] = '\0';
    return dial(address, clock_ms() + PATIENCE_MS, why, 128);
}

/* A listening socket on 127.0.0.1; its port in *port. */
static int listen_v4(uint16_t *port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    ck_assert_int_eq(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    ck_assert_int_eq(listen(fd, 5), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&at, &size), 0);
    *port = ntohs(at.sin_port);
    return fd;
}

static const char *const hosts[] = {"127.0.0.1", "0.0.0.0", "[::ffff:127.0.0.1]"};

START_TEST(an_address_of_this_machine_is_reached)
{
    char address[64], why[128];
    uint16_t port;
    int listener = listen_v4(&port), fd;

    snprintf(address, sizeof address, "%s:%u", hosts[_i], port);
    fd = dial_soon(address, why);
    ck_assert_msg(fd >= 0, "%s: %s", address, why);
    close(fd);
    close(listener);
}
END_TEST

START_TEST(nobody_listens)
{
    char address[64], why[128];
    uint16_t port;

    close(listen_v4(&port));
    snprintf(address, sizeof address, "127.0.0.1:%u", port);
    ck_assert_int_eq(dial_soon(address, why), -1);
    ck_assert_ptr_nonnull(strstr(why, "refused"));
}
END_TEST

static int listen_local(const char *name, size_t n)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    memcpy(at.sun_path, name, n);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&at,
                          (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n)),
                     0);
    ck_assert_int_eq(listen(fd, 5), 0);
    return fd;
}

START_TEST(a_unix_socket_is_reached)
{
    char home[] = "/tmp/sinkhole-dial-XXXXXX", path[64], address[80], why[128];
    int listener, fd;

    ck_assert_ptr_nonnull(mkdtemp(home));
    snprintf(path, sizeof path, "%s/s", home);
    snprintf(address, sizeof address, "unix:%s", path);
    listener = listen_local(path, strlen(path));
    fd = dial_soon(address, why);
    ck_assert_msg(fd >= 0, "%s: %s", address, why);
    close(fd);
    close(listener);
    unlink(path);
    rmdir(home);
}
END_TEST

START_TEST(an_abstract_socket_is_reached)
{
    char name[80], address[80], why[128];
    int listener, fd;

    snprintf(address, sizeof address, "unix:@sinkhole-dial-%d", (int)getpid());
    snprintf(name, sizeof name, "%s", address + strlen("unix:"));
    name[0] = '\0';
    listener = listen_local(name, strlen(address) - strlen("unix:"));
    fd = dial_soon(address, why);
    ck_assert_msg(fd >= 0, "%s: %s", address, why);
    close(fd);
    close(listener);
}
END_TEST

static const char *const wrong[] = {"",
                                    "127.0.0.1",
                                    "127.0.0.1:",
                                    "127.0.0.1:0",
                                    ":25",
                                    "[]:25",
                                    "[::1:25",
                                    "localhost:25",
                                    "1.2.3.4.5:1",

                                    "[127.0.0.x]:25",
                                    "::1]:25"};

START_TEST(what_is_no_address_is_said_to_be_none)
{
    char why[128];

    ck_assert_int_eq(dial_soon(wrong[_i], why), -1);
    ck_assert_str_eq(why, "that is no address");
}
END_TEST

START_TEST(a_deadline_that_is_over)
{
    char address[64], why[128];
    uint16_t port;
    int listener = listen_v4(&port), fd, waiting[64];
    size_t n = 0;

    /* Fill the queue of those not accepted, so that the next connect(2) has to wait. */
    snprintf(address, sizeof address, "127.0.0.1:%u", port);
    do {
        fd = dial(address, clock_ms() + 50, why, sizeof why);
        if (fd >= 0) {
            waiting[n++] = fd;
        }
    } while (fd >= 0 && n < 64);
    ck_assert_int_eq(fd, -1);
    ck_assert_ptr_nonnull(strstr(why, "timed out"));
    while (n > 0) {
        close(waiting[--n]);
    }
    close(listener);
}
END_TEST

#define ROWS(table) (int)(sizeof table / sizeof table[0])

static Suite *suite(void)
{
    Suite *s = suite_create("dial");
    TCase *t = tcase_create("dial");

    tcase_set_timeout(t, 0);
    tcase_add_loop_test(t, an_address_of_this_machine_is_reached, 0, ROWS(hosts));
    tcase_add_test(t, nobody_listens);
    tcase_add_test(t, a_unix_socket_is_reached);
    tcase_add_test(t, an_abstract_socket_is_reached);
    tcase_add_loop_test(t, what_is_no_address_is_said_to_be_none, 0, ROWS(wrong));
    tcase_add_test(t, a_deadline_that_is_over);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    return run_suite(suite());
}
