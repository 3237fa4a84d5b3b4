/* Reading JSON from others: bounded in size and depth, strict, and typed at each access. json.c
   is the only file that knows json-c. */
#ifndef AWS_JSON_H
#define AWS_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JSON_SIZE_MAX  (256 * 1024)
#define JSON_DEPTH_MAX 16

struct json;

/* Reads one value, and nothing behind it but white space. NULL: not JSON, or too much of it. */
struct json *json_read(const char *text, size_t n);
void json_free(struct json *json);

/* The text at a path of names, "Parameter.Value"; NULL where there is none, where it is no
   string or has a NUL inside. Lives as long as the json. */
const char *json_text(const struct json *json, const char *path);

/* The same for a whole number. */
bool json_number(const struct json *json, const char *path, int64_t *out);

#endif
