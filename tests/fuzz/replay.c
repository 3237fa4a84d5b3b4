/* A main without libFuzzer: gives each file named, or each in a folder named, to the target,
   twice since what one input leaves behind must not change the next. Prints TAP. */
#include <dirent.h>
#include <errno.h>
#include <sys/stat.h>

#include "fuzz.h"

#define INPUT_MAX (1 << 20)

static int count;

static void replay_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    uint8_t *data = malloc(INPUT_MAX);
    size_t n;

    MUST(data != NULL);
    if (file == NULL) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        exit(111);
    }
    n = fread(data, 1, INPUT_MAX, file);
    fclose(file);
    LLVMFuzzerTestOneInput(data, n);
    LLVMFuzzerTestOneInput(data, n);
    free(data);
    printf("ok %d %s\n", ++count, strrchr(path, '/') != NULL ? strrchr(path, '/') + 1 : path);
    fflush(stdout);
}

static void replay_folder(const char *path, DIR *folder)
{
    const struct dirent *entry;

    while ((entry = readdir(folder)) != NULL) {
        char name[4096];

        if (entry->d_name[0] != '.') {
            snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
            replay_file(name);
        }
    }
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        DIR *folder = opendir(argv[i]);

        if (folder == NULL) {
            replay_file(argv[i]);
        } else {
            replay_folder(argv[i], folder);
            closedir(folder);
        }
    }
    printf("1..%d\n", count);
    return 0;
}
