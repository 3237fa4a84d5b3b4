/* The line reader: what comes out may not depend on how the bytes came in. */
#include "smtp/line.h"

#include "fuzz.h"

struct outcome {
    uint64_t sum; /* over results and texts */
    uint64_t bare_lf;
    size_t lines;
};

static void add(struct outcome *o, uint64_t value)
{
    o->sum = (o->sum ^ value) * 1099511628211u;
}

static struct outcome read_all(const char *bytes, size_t n, size_t limit, size_t piece)
{
    struct line_reader reader = line_reader_for(limit);
    struct outcome o = {.sum = 14695981039346656037u};
    size_t at = 0, have = 0;

    while (have < n) {
        have = n - have < piece ? n : have + piece;
        for (;;) {
            struct span line = {0};
            size_t used;
            enum line_result result = line_next(&reader, bytes + at, have - at, &line, &used);

            MUST(used <= have - at);
            at += used;
            if (result == LINE_MORE) {
                MUST(have - at < limit);
                break;
            }
            MUST(used > 0 && line.n <= limit);
            o.lines++;
            add(&o, result);
            for (size_t i = 0; i < line.n; i++) {
                MUST(line.at[i] != '\n');
                add(&o, (uint8_t)line.at[i]);
            }
        }
    }
    o.bare_lf = reader.bare_lf;
    return o;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct outcome whole, pieces;
    char *bytes;

    if (size < 2) {
        return 0;
    }
    bytes = fuzz_copy(data + 2, size - 2);
    whole = read_all(bytes, size - 2, 2 + data[0], size);
    pieces = read_all(bytes, size - 2, 2 + data[0], 1 + data[1] % 32);
    MUST(whole.sum == pieces.sum && whole.lines == pieces.lines);
    MUST(whole.bare_lf == pieces.bare_lf && whole.bare_lf <= whole.lines);
    free(bytes);
    return 0;
}
