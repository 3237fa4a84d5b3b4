/* The header keeper: the same fields however the bytes came, within the storage, in one
   piece. */
#include "smtp/header.h"

#include "fuzz.h"

static struct header feed(char *storage, size_t size, const char *bytes, size_t n, size_t piece)
{
    struct header h = header_start(storage, size);

    for (size_t at = 0; at < n; at += piece) {
        header_feed(&h, bytes + at, n - at < piece ? n - at : piece);
    }
    return h;
}

static void check_fields(const struct header *h)
{
    struct span name, value;
    size_t at = 0;

    while (header_next(h, &at, &name, &value)) {
        MUST(name.n > 0 && at <= h->kept.len);
        MUST(memchr(name.at, ' ', name.n) == NULL);
        MUST(value.n == 0 || memchr(value.at, '\n', value.n) == NULL);
    }
    header_find(h, "message-id", &value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct header whole, pieces;
    char *bytes, *storage, *other;
    size_t room;

    if (size < 2) {
        return 0;
    }
    room = data[0];
    bytes = fuzz_copy(data + 2, size - 2);
    storage = malloc(room + 1);
    other = malloc(room + 1);
    MUST(storage != NULL && other != NULL);
    whole = feed(storage, room, bytes, size - 2, size);
    pieces = feed(other, room, bytes, size - 2, 1 + data[1] % 16);
    MUST(whole.kept.len <= room && whole.kept.len == pieces.kept.len);
    MUST(memcmp(storage, other, whole.kept.len) == 0 && whole.truncated == pieces.truncated);
    check_fields(&whole);
    free(bytes);
    free(storage);
    free(other);
    return 0;
}
