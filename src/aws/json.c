/* json-c with its strict switches on. */
#include "aws/json.h"

#include <json-c/json.h>
#include <string.h>

static struct json_object *object_of(const struct json *json)
{
    return (struct json_object *)json;
}

struct json *json_read(const char *text, size_t n)
{
    struct json_tokener *reader;
    struct json_object *root;

    while (n > 0 && strchr(" \t\r\n", text[n - 1]) != NULL && text[n - 1] != '\0') {
        n--;
    }
    if (n == 0 || n > JSON_SIZE_MAX) {
        return NULL;
    }
    reader = json_tokener_new_ex(JSON_DEPTH_MAX);
    if (reader == NULL) {
        return NULL;
    }
    json_tokener_set_flags(reader, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
    root = json_tokener_parse_ex(reader, text, (int)n);
    /* A number at the very end is only known to be whole when something follows. */
    if (json_tokener_get_error(reader) == json_tokener_continue) {
        root = json_tokener_parse_ex(reader, "", 1);
    }
    if (json_tokener_get_error(reader) != json_tokener_success) {
        root = NULL;
    }
    json_tokener_free(reader);
    return (struct json *)root;
}

void json_free(struct json *json)
{
    json_object_put(object_of(json));
}

/* Walks down the path; NULL where it ends early. */
static struct json_object *find(const struct json *json, const char *path)
{
    struct json_object *at = object_of(json);
    char name[64];

    while (at != NULL && *path != '\0') {
        size_t n = strcspn(path, ".");

        if (n >= sizeof name || !json_object_is_type(at, json_type_object)) {
            return NULL;
        }
        memcpy(name, path, n);
        name[n] = '\0';
        at = json_object_object_get(at, name);
        path += n + (path[n] == '.' ? 1 : 0);
    }
    return at;
}

const char *json_text(const struct json *json, const char *path)
{
    struct json_object *found = find(json, path);
    const char *text;

    if (!json_object_is_type(found, json_type_string)) {
        return NULL;
    }
    text = json_object_get_string(found);
    return strlen(text) == (size_t)json_object_get_string_len(found) ? text : NULL;
}

bool json_number(const struct json *json, const char *path, int64_t *out)
{
    struct json_object *found = find(json, path);

    if (!json_object_is_type(found, json_type_int)) {
        return false;
    }
    *out = json_object_get_int64(found);
    return true;
}
