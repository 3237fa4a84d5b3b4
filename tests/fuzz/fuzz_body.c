/* The end of data, against its definition: the first CRLF.CRLF behind the DATA command's
   CRLF. */
#include "smtp/body.h"

#include "fuzz.h"

static size_t plain_end(const char *bytes, size_t n)
{
    char *text = malloc(n + 2);
    const char *found;
    size_t end;

    MUST(text != NULL);
    memcpy(text, "\r\n", 2);
    memcpy(text + 2, bytes, n);
    found = memmem(text, n + 2, "\r\n.\r\n", 5);
    end = found == NULL ? 0 : (size_t)(found - text) + 3;
    free(text);
    return end;
}

static struct body feed(const char *bytes, size_t n, size_t piece, size_t *taken)
{
    struct body b = body_start();

    *taken = 0;
    while (*taken < n && b.state != BODY_ENDED) {
        size_t here = n - *taken < piece ? n - *taken : piece;
        size_t used = body_feed(&b, bytes + *taken, here);

        MUST(used == here || b.state == BODY_ENDED);
        *taken += used;
    }
    return b;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t n, end, taken, taken_in_pieces;
    struct body whole, pieces;
    char *bytes;

    if (size < 1) {
        return 0;
    }
    n = size - 1;
    bytes = fuzz_copy(data + 1, n);
    end = plain_end(bytes, n);
    whole = feed(bytes, n, n, &taken);
    pieces = feed(bytes, n, 1 + data[0] % 16, &taken_in_pieces);
    MUST((whole.state == BODY_ENDED) == (end != 0));
    MUST(taken == (end != 0 ? end : n) && taken_in_pieces == taken);
    MUST(whole.state == pieces.state && whole.bytes == pieces.bytes && whole.bytes <= n);
    free(bytes);
    return 0;
}
