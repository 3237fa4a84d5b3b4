/* The credentials file and the config file of AWS's tools, each of which anybody may have
 * edited. */
#include "aws/profile.h"

#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"

/* A file in memory, which has a path all the same. */
static int memory_file(const char *variable)
{
    char path[64];
    int fd = memfd_create("profile", 0);

    MUST(fd >= 0);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    setenv(variable, path, 1);
    return fd;
}

static void fill(int fd, const uint8_t *data, size_t size)
{
    MUST(ftruncate(fd, 0) == 0);
    MUST(pwrite(fd, data, size, 0) == (ssize_t)size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int credentials = -1, config;
    const char *const names[] = {"default", "test", "a b"};

    if (credentials < 0) {
        credentials = memory_file("AWS_SHARED_CREDENTIALS_FILE");
        config = memory_file("AWS_CONFIG_FILE");
    }
    fill(credentials, data, size / 2);
    fill(config, data + size / 2, size - size / 2);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct profile profile = {.found = false};

        setenv("AWS_PROFILE", names[i], 1);
        profile_load(&profile);
        for (int key = 0; key < PROFILE_KEYS; key++) {
            MUST(profile.values[key] == NULL || strchr(profile.values[key], '\n') == NULL);
        }
        profile_free(&profile);
    }
    return 0;
}
