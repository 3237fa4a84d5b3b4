/* The command parser and its paths: an address that was taken is taken again, and is the
   same. */
#include "smtp/command.h"

#include "fuzz.h"
#include "smtp/path.h"

static void check_address(struct span address)
{
    char again[PATH_ADDRESS_MAX + 16];
    struct path path;
    int n = snprintf(again, sizeof again, "TO:<%.*s>", (int)address.n, address.at);

    MUST(address.n <= PATH_ADDRESS_MAX);
    for (size_t i = 0; i < address.n; i++) {
        MUST(address.at[i] >= ' ' && address.at[i] <= '~');
    }
    MUST(path_parse((struct span){.at = again, .n = (size_t)n}, "TO:", &path) == PATH_OK);
    MUST(path.address.n == address.n && memcmp(path.address.at, address.at, address.n) == 0);
    MUST(path.domain.n < address.n || address.n == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *line = fuzz_copy(data, size);
    struct command command;
    struct path path;

    if (command_parse((struct span){.at = line, .n = size}, &command)) {
        const char *keyword = command.verb == VERB_MAIL ? "FROM:" : "TO:";

        MUST(command.verb < VERB_COUNT && command.argument.n <= size);
        if (path_parse(command.argument, keyword, &path) == PATH_OK) {
            check_address(path.address);
        }
    } else {
        MUST(command.verb == VERB_UNKNOWN);
    }
    free(line);
    return 0;
}
