/* smtp/body: the end of a message is CRLF.CRLF, whatever stands around it and however it
   comes. */
#include "smtp/body.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "runner.h"

static const struct {
    const char *in;
    size_t end;   /* bytes up to the end of the message; 0: it does not end */
    size_t bytes; /* of the message */
} rows[] = {
    {".\r\n", 3, 0},
    {"\r\n.\r\n", 5, 2},
    {"a\r\n.\r\n", 6, 3},
    {"a\r\n.\r\nQUIT\r\n", 6, 3},
    {"a\r\n..\r\n.\r\n", 10, 6}, /* a stuffed dot alone on its line */
    {"..\r\n.\r\n", 7, 3},
    {".a\r\n.\r\n", 7, 3}, /* RFC 5321 4.5.2: any first dot is dropped */
    {"a.\r\n.\r\n", 7, 4},
    {"a\r\n.\r\r\n.\r\n", 10, 6}, /* ".\r" and a line end: no end, a CR */
    {"a\r\n\r\n.\r\n", 8, 5},
    {"a\r\r\n.\r\n", 7, 4}, /* the CR before CRLF is text */
    /* What others were talked into taking for an end. */
    {"a\n.\n", 0, 4},
    {"a\n.\r\n", 0, 5},
    {"a\r\n.\n", 0, 4},
    {"a\r.\r", 0, 4},
    {"a\r.\r\n", 0, 5},
    {"a\r\n.\r", 0, 4},
    {"a\n\r.\r\n", 0, 6},
    {"a\r\n.\rb\n", 0, 6},
    {"a\r\n. \r\n", 0, 6},
    {"a\r\n\n.\r\n", 0, 7},
    {".\n", 0, 1},
    {"a\r\n.\n\r\n", 0, 6},
};

/* Feeds in up to three pieces. Returns the bytes taken; *b is the recogniser behind them. */
static size_t feed(const char *in, size_t n, size_t first, size_t second, struct body *b)
{
    const size_t cuts[] = {first, second, n};
    size_t at = 0;

    *b = body_start();
    for (int i = 0; i < 3 && b->state != BODY_ENDED; i++) {
        at += body_feed(b, in + at, cuts[i] - at);
        ck_assert(at == cuts[i] || b->state == BODY_ENDED);
    }
    return at;
}

START_TEST(end_is_found_at_every_split)
{
    size_t n = strlen(rows[_i].in);
    size_t end = rows[_i].end == 0 ? n : rows[_i].end;

    for (size_t first = 0; first <= n; first++) {
        for (size_t second = first; second <= n; second++) {
            struct body b;

            ck_assert_uint_eq(feed(rows[_i].in, n, first, second, &b), end);
            ck_assert_int_eq(b.state == BODY_ENDED, rows[_i].end != 0);
            ck_assert_uint_eq(b.bytes, rows[_i].bytes);
        }
    }
}
END_TEST

/* The definition, word for word: search the text behind the DATA command's own CRLF. */
static size_t plain_end(const char *in, size_t n)
{
    char text[32] = "\r\n";
    const char *found;

    memcpy(text + 2, in, n);
    found = memmem(text, n + 2, "\r\n.\r\n", 5);
    return found == NULL ? 0 : (size_t)(found - text) + 3;
}

#define LETTERS 4
#define LONGEST 9

/* All texts over the four kinds of bytes, up to a length that holds an end with company. */
START_TEST(agrees_with_the_definition_on_all_short_texts)
{
    static const char letters[LETTERS] = {'\r', '\n', '.', 'x'};
    size_t count = 1;

    for (size_t n = 1; n <= LONGEST; n++) {
        count *= LETTERS;
        for (size_t number = 0; number < count; number++) {
            char in[LONGEST];
            size_t end, left = number;
            struct body b;

            for (size_t i = 0; i < n; i++, left /= LETTERS) {
                in[i] = letters[left % LETTERS];
            }
            end = plain_end(in, n);
            for (size_t cut = 0; cut <= n; cut++) {
                /* An assertion costs a message to Check's parent: millions are too many. */
                if (feed(in, n, cut, n, &b) != (end == 0 ? n : end) ||
                    (b.state == BODY_ENDED) != (end != 0)) {
                    ck_abort_msg("text %zu of length %zu, cut at %zu", number, n, cut);
                }
            }
        }
    }
}
END_TEST

/* Long runs, where the search jumps: the end just before, at and behind the edge of a piece. */
START_TEST(end_is_found_behind_long_text)
{
    enum { SIZE = 70000 };
    static const char *const fillers[] = {"x", ".", "\r", "\n", "text. \r\n", "..\r\n", "\r\n"};
    char *in = malloc(SIZE + 8);

    for (size_t f = 0; f < sizeof fillers / sizeof fillers[0]; f++) {
        size_t length = strlen(fillers[f]);
        struct body whole, split;

        for (size_t i = 0; i < SIZE; i++) {
            in[i] = fillers[f][i % length];
        }
        memcpy(in + SIZE, "\r\n.\r\nMORE", 8);
        ck_assert_uint_eq(feed(in, SIZE + 8, SIZE + 8, SIZE + 8, &whole), SIZE + 5);
        for (size_t cut = SIZE - 4; cut <= SIZE + 8; cut++) {
            ck_assert_uint_eq(feed(in, SIZE + 8, cut, SIZE + 8, &split), SIZE + 5);
            ck_assert_uint_eq(split.bytes, whole.bytes);
        }
    }
    free(in);
}
END_TEST

/* A dot makes the search go on in another way for a stretch: the end at every distance from it,
   among text with and without other dots. */
START_TEST(end_is_found_at_every_distance_from_a_dot)
{
    enum { SIZE = 1300 };
    static const char fillers[] = {'x', '\n', '\r'};
    char in[SIZE + 8];
    struct body b;

    for (size_t f = 0; f < sizeof fillers; f++) {
        for (size_t at = 2; at < SIZE - 8; at++) {
            memset(in, fillers[f], sizeof in);
            memcpy(in, "x.", 2);
            memcpy(in + at, "\r\n.\r\n", 5);
            ck_assert_uint_eq(feed(in, SIZE + 8, SIZE + 8, SIZE + 8, &b), at + 5);
            in[1] = 'x';
            in[at + 2] = 'x';
            memcpy(in + SIZE, "\r\n.\r\n", 5);
            ck_assert_uint_eq(feed(in, SIZE + 8, SIZE + 8, SIZE + 8, &b), SIZE + 5);
        }
    }
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("body");
    TCase *tc = tcase_create("body");

    tcase_set_timeout(tc, 0);
    tcase_add_loop_test(tc, end_is_found_at_every_split, 0, sizeof rows / sizeof rows[0]);
    tcase_add_test(tc, agrees_with_the_definition_on_all_short_texts);
    tcase_add_test(tc, end_is_found_behind_long_text);
    tcase_add_test(tc, end_is_found_at_every_distance_from_a_dot);
    suite_add_tcase(s, tc);
    return s;
}

int main(void)
{
    return run_suite(suite());
}
