/* A load generator that measures what smtp-source cannot tell: how long each session took, from
   connect(2) to the end of the stream. Usage:

     generator PORT SESSIONS AT-ONCE BYTES

   runs so many one-message sessions against 127.0.0.1, so many of them at once, and prints one
   line of JSON: {"sessions","failed","seconds","p50_us","p99_us","max_us"}. A session that does
   not get to QUIT's answer has failed. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define AT_ONCE_MAX 4096
#define STEPS       7

struct client {
    int fd;
    int step;
    int64_t began;
    bool replied; /* the last byte that came ended a line */
};

static struct client clients[AT_ONCE_MAX];
static struct sockaddr_in server = {.sin_family = AF_INET};
static const char *steps[STEPS] = {"EHLO generator.example\r\n",
                                   "MAIL FROM:<a@b.example>\r\n",
                                   "RCPT TO:<c@d.example>\r\n",
                                   "DATA\r\n",
                                   NULL /* the message */,
                                   "QUIT\r\n",
                                   NULL /* the end */};
static int64_t *took, left, ended, failed;
static int epoll;

static int64_t now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static char *make_message(size_t n)
{
    char *text = malloc(n + 8);

    memset(text, 'x', n);
    for (size_t i = 70; i + 2 < n; i += 72) {
        memcpy(text + i, "\r\n", 2);
    }
    strcpy(text + n, "\r\n.\r\n");
    return text;
}

static void begin(struct client *c)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};

    left--;
    *c = (struct client){.fd = socket(AF_INET, SOCK_STREAM, 0), .began = now_us()};
    if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&server, sizeof server) != 0) {
        perror("generator: connect");
        exit(111);
    }
    epoll_ctl(epoll, EPOLL_CTL_ADD, c->fd, &event);
}

static void finish(struct client *c)
{
    close(c->fd);
    failed += c->step != STEPS - 1;
    took[ended++] = now_us() - c->began;
    if (left > 0) {
        begin(c);
    }
}

/* Is the answer of n bytes whole, and if so, is it the last line of it? */
static bool whole(const char *bytes, ssize_t n)
{
    const char *line = bytes + n - 1;

    if (n < 5 || *line != '\n') {
        return false;
    }
    while (line > bytes && line[-1] != '\n') {
        line--;
    }
    return line[3] == ' ';
}

static void advance(struct client *c)
{
    char bytes[4096];
    ssize_t n = read(c->fd, bytes, sizeof bytes);

    if (n <= 0 || (*bytes != '2' && *bytes != '3')) {
        finish(c);
    } else if (whole(bytes, n) && c->step < STEPS - 1) {
        const char *text = steps[c->step++];

        (void)!write(c->fd, text, strlen(text));
    }
}

static int ascending(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static void report(int64_t n, int64_t began)
{
    qsort(took, (size_t)n, sizeof *took, ascending);
    printf("{\"sessions\": %lld, \"failed\": %lld, \"seconds\": %.6f, \"p50_us\": %lld, "
           "\"p99_us\": %lld, \"max_us\": %lld}\n",
           (long long)n, (long long)failed, (double)(now_us() - began) / 1e6,
           (long long)took[n / 2], (long long)took[n * 99 / 100], (long long)took[n - 1]);
}

int main(int argc, char **argv)
{
    int64_t n, began = now_us();
    int at_once;

    if (argc != 5 || (n = atoll(argv[2])) < 1 || (at_once = atoi(argv[3])) < 1 ||
        at_once > AT_ONCE_MAX || at_once > n) {
        fputs("usage: generator PORT SESSIONS AT-ONCE BYTES\n", stderr);
        return 100;
    }
    server.sin_port = htons((uint16_t)atoi(argv[1]));
    server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    steps[4] = make_message((size_t)atol(argv[4]));
    took = calloc((size_t)n, sizeof *took);
    left = n;
    epoll = epoll_create1(0);
    for (int i = 0; i < at_once; i++) {
        begin(&clients[i]);
    }
    while (ended < n) {
        struct epoll_event ready[256];
        int some = epoll_wait(epoll, ready, 256, 30000);

        if (some == 0) {
            fputs("generator: nothing happened for 30 s\n", stderr);
            return 99;
        }
        for (int i = 0; i < some; i++) {
            advance(ready[i].data.ptr);
        }
    }
    report(n, began);
    return 0;
}
