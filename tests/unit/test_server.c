/* server: the small parts that touch the kernel, each alone: secrets, overflow, notify,
   listeners. */
#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "runner.h"
#include "server/listener.h"
#include "server/notify.h"
#include "server/overflow.h"
#include "server/privileges.h"
#include "server/secrets.h"

extern char **environ;

START_TEST(secrets_leave_the_environment_and_its_memory)
{
    static char key[] = "AWS_SECRET_ACCESS_KEY=hidden", home[] = "HOME=/nowhere";
    static char proxy[] = "https_proxy=http://user:pass@host";
    char *variables[] = {key, home, proxy, NULL};
    char **kept = environ;
    char saved[256];
    ssize_t n;
    int fd;

    environ = variables;
    fd = secrets_take();
    ck_assert_int_ge(fd, 0);
    ck_assert_ptr_null(getenv("AWS_SECRET_ACCESS_KEY"));
    ck_assert_ptr_null(getenv("https_proxy"));
    ck_assert_str_eq(getenv("HOME"), "/nowhere");
    environ = kept;
    for (size_t i = 0; i < sizeof key - 1; i++) {
        ck_assert_int_eq(key[i], 0);
    }
    n = pread(fd, saved, sizeof saved, 0);
    ck_assert_int_eq(n, (ssize_t)(sizeof key + sizeof proxy));
    ck_assert_str_eq(saved, "AWS_SECRET_ACCESS_KEY=hidden");
    ck_assert_str_eq(saved + sizeof key, "https_proxy=http://user:pass@host");
    ck_assert_int_eq(write(fd, "x", 1), -1); /* sealed */
}
END_TEST

START_TEST(the_refused_are_told_and_let_go)
{
    static struct overflow o;
    char reply[256];
    int pair[2];
    ssize_t n;

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    overflow_refuse(&o, pair[0], "sink.test", 1000);
    n = read(pair[1], reply, sizeof reply - 1);
    reply[n] = '\0';
    ck_assert_str_eq(reply, "421 4.3.2 sink.test Too many sessions, try again later\r\n");
    ck_assert_int_eq(read(pair[1], reply, sizeof reply), 0); /* half-closed */
    ck_assert_int_eq(write(pair[1], "EHLO x\r\n", 8), 8);    /* and still listened to */
    overflow_step(&o, 1001);
    ck_assert_int_eq(overflow_deadline(&o), 1000 + OVERFLOW_LINGER_MS);
    overflow_step(&o, 1000 + OVERFLOW_LINGER_MS);
    ck_assert_int_eq(overflow_deadline(&o), CLOCK_NEVER);
    ck_assert_int_eq(fcntl(pair[0], F_GETFD), -1);
}
END_TEST

/* The master must come back from one client, however fast that sends. */
START_TEST(a_refused_client_that_floods_holds_up_nobody)
{
    static struct overflow o;
    static char flood[1 << 20];
    struct pollfd set[OVERFLOW_KEPT];
    int pair[2], room = sizeof flood;
    ssize_t sent;

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    setsockopt(pair[1], SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
    overflow_refuse(&o, pair[0], "sink.test", 1000);
    sent = send(pair[1], flood, sizeof flood, MSG_DONTWAIT);
    ck_assert_int_gt(sent, 3 * OVERFLOW_GULP);
    for (int round = 1; round <= 2; round++) {
        overflow_step(&o, 1001);
        ck_assert_int_eq(ioctl(pair[0], FIONREAD, &room), 0);
        ck_assert_int_eq(room, sent - round * OVERFLOW_GULP);
        ck_assert_uint_eq(overflow_poll(&o, set), 1);
    }
}
END_TEST

START_TEST(a_refused_client_that_leaves_is_forgotten_at_once)
{
    static struct overflow o;
    struct pollfd set[OVERFLOW_KEPT];
    int pair[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    overflow_refuse(&o, pair[0], "sink.test", 1000);
    ck_assert_uint_eq(overflow_poll(&o, set), 1);
    close(pair[1]);
    overflow_step(&o, 1001);
    ck_assert_uint_eq(overflow_poll(&o, set), 0);
}
END_TEST

START_TEST(a_crowd_of_refused_stays_bounded)
{
    static struct overflow o;
    struct pollfd set[OVERFLOW_KEPT];

    for (int i = 0; i < 3 * OVERFLOW_KEPT; i++) {
        int pair[2];

        ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
        overflow_refuse(&o, pair[0], "sink.test", 1000 + i);
    }
    ck_assert_uint_eq(overflow_poll(&o, set), OVERFLOW_KEPT);
    ck_assert_int_eq(overflow_deadline(&o), 1000); /* its event is due */
}
END_TEST

START_TEST(readiness_reaches_both_supervisors)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    char path[] = "/tmp/test_notify.XXXXXX", text[32] = "";
    int ends[2], manager = socket(AF_UNIX, SOCK_DGRAM, 0);

    ck_assert_ptr_nonnull(mkdtemp(path));
    snprintf(at.sun_path, sizeof at.sun_path, "%s/s", path);
    ck_assert_int_eq(bind(manager, (struct sockaddr *)&at, sizeof at), 0);
    setenv("NOTIFY_SOCKET", at.sun_path, 1);
    ck_assert_int_eq(pipe(ends), 0);
    notify_ready(ends[1]);
    ck_assert_int_eq(read(ends[0], text, sizeof text), 1);
    ck_assert_int_eq(text[0], '\n');
    ck_assert_int_eq(read(ends[0], text, sizeof text), 0); /* closed */
    ck_assert_int_eq(recv(manager, text, sizeof text, 0), 7);
    ck_assert_int_eq(memcmp(text, "READY=1", 7), 0);
    notify_stopping();
    ck_assert_int_eq(recv(manager, text, sizeof text, 0), 10);
    unlink(at.sun_path);
    rmdir(path);
}
END_TEST

static struct settings on(const char *host)
{
    return (struct settings){.bind_host = host, .bind_port = 0, .listen_fd = -1};
}

static const struct {
    const char *host;
    size_t count;
    const char *starts;
} places[] = {
    {"127.0.0.1", 1, "127.0.0.1:"},
    {"::1", 1, "[::1]:"},
    {"127.0.0.1,::1", 2, "127.0.0.1:"},
    {"", 1, "[::]:"},
};

START_TEST(listens_where_it_is_told)
{
    struct settings s = on(places[_i].host);
    struct listeners l;
    char why[256];
    int status;

    ck_assert_msg(listeners_open(&l, &s, why, sizeof why, &status), "%s", why);
    ck_assert_uint_eq(l.count, places[_i].count);
    ck_assert_int_eq(strncmp(l.names[0], places[_i].starts, strlen(places[_i].starts)), 0);
    listeners_close(&l);
}
END_TEST

START_TEST(a_bad_host_is_usage_a_taken_port_is_not)
{
    struct settings s = on("localhost");
    struct listeners first, second;
    char why[256];
    int status;

    ck_assert(!listeners_open(&first, &s, why, sizeof why, &status));
    ck_assert_int_eq(status, 100);
    s = on("127.0.0.1");
    ck_assert(listeners_open(&first, &s, why, sizeof why, &status));
    s.bind_port = atoi(strchr(first.names[0], ':') + 1);
    ck_assert(!listeners_open(&second, &s, why, sizeof why, &status));
    ck_assert_int_eq(status, 111);
    ck_assert_ptr_nonnull(strstr(why, "Address already in use"));
}
END_TEST

START_TEST(a_descriptor_that_does_not_listen_is_refused)
{
    struct settings s = on("");
    struct listeners l;
    char why[256];
    int status;

    s.listen_fd = open("/dev/null", O_RDONLY);
    ck_assert(!listeners_open(&l, &s, why, sizeof why, &status));
    ck_assert_int_eq(status, 100);
    ck_assert_ptr_nonnull(strstr(why, "no listening"));
}
END_TEST

START_TEST(an_accepted_client_is_named)
{
    struct sockaddr_in at = {.sin_family = AF_INET};
    socklen_t size = sizeof at;
    struct settings s = on("");
    struct acceptor acceptor;
    struct listeners l;
    struct peer peer;
    char why[256];
    int on_fd = 0, status, client = socket(AF_INET, SOCK_STREAM, 0), fd;

    ck_assert(listeners_open(&l, &s, why, sizeof why, &status));
    ck_assert(acceptor_open(&acceptor, &l));
    ck_assert_int_eq(acceptor_next(&acceptor, 0, &peer), -1);
    ck_assert_int_eq(errno, EAGAIN);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    at.sin_port = htons((uint16_t)atoi(strrchr(l.names[0], ':') + 1));
    ck_assert_int_eq(connect(client, (struct sockaddr *)&at, size), 0);
    fd = acceptor_next(&acceptor, 10000, &peer);
    ck_assert_int_ge(fd, 0);
    ck_assert_str_eq(peer.text, "127.0.0.1"); /* through [::]: v4 keeps its own form */
    size = sizeof on_fd;
    getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on_fd, &size);
    ck_assert_int_ne(on_fd, 0); /* inherited */
    ck_assert_int_eq(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
}
END_TEST

START_TEST(peers_come_in_all_forms)
{
    struct peer peer;
    int pair[2];

    ck_assert(peer_of_text("192.0.2.7", &peer));
    ck_assert_str_eq(peer.text, "192.0.2.7");
    ck_assert_int_eq(peer.key.bytes[10], 0xFF);
    ck_assert(peer_of_text("2001:db8::1", &peer));
    ck_assert_str_eq(peer.text, "2001:db8::1");
    ck_assert(!peer_of_text("nobody", &peer));
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    peer_of(pair[0], &peer);
    ck_assert_str_eq(peer.text, "unix");
    peer_of(open("/dev/null", O_RDONLY), &peer);
    ck_assert_str_eq(peer.text, "unknown");
}
END_TEST

START_TEST(descriptors_not_named_are_closed)
{
    int keep[2] = {open("/dev/null", O_RDONLY), 0}, other = open("/dev/null", O_RDONLY);

    keep[1] = open("/dev/null", O_RDONLY);
    privileges_close_all_but(keep, 2);
    ck_assert_int_ge(fcntl(keep[0], F_GETFD), 0);
    ck_assert_int_ge(fcntl(keep[1], F_GETFD), 0);
    ck_assert_int_ge(fcntl(2, F_GETFD), 0);
    ck_assert_int_eq(fcntl(other, F_GETFD), -1);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("server");
    TCase *tc = tcase_create("server");

    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, secrets_leave_the_environment_and_its_memory);
    tcase_add_test(tc, the_refused_are_told_and_let_go);
    tcase_add_test(tc, a_refused_client_that_floods_holds_up_nobody);
    tcase_add_test(tc, a_refused_client_that_leaves_is_forgotten_at_once);
    tcase_add_test(tc, a_crowd_of_refused_stays_bounded);
    tcase_add_test(tc, readiness_reaches_both_supervisors);
    tcase_add_loop_test(tc, listens_where_it_is_told, 0, 4);
    tcase_add_test(tc, a_bad_host_is_usage_a_taken_port_is_not);
    tcase_add_test(tc, a_descriptor_that_does_not_listen_is_refused);
    tcase_add_test(tc, an_accepted_client_is_named);
    tcase_add_test(tc, peers_come_in_all_forms);
    tcase_add_test(tc, descriptors_not_named_are_closed);
    suite_add_tcase(s, tc);
    return s;
}

int main(void)
{
    return run_suite(suite());
}
