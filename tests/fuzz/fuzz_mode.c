/* Mode values: what is taken for a mode is its name, with white space around it at most. */
#include "mode/policy.h"

#include <ctype.h>

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *value = fuzz_copy(data, size);
    enum mode mode = MODE_COUNT;
    size_t from = 0, to = size;

    while (from < to && isspace((unsigned char)value[from])) {
        from++;
    }
    while (to > from && isspace((unsigned char)value[to - 1])) {
        to--;
    }
    if (mode_parse(value, size, &mode)) {
        MUST(mode < MODE_COUNT && strlen(mode_name(mode)) == to - from);
        MUST(memcmp(value + from, mode_name(mode), to - from) == 0);
    } else {
        MUST(mode == MODE_COUNT);
    }
    free(value);
    return 0;
}
