/* The order is that of AWS's SDKs: variables, profile, then the services that know where this
   machine stands. */
#include "aws/place.h"

#include <stdio.h>
#include <string.h>

#include "aws/imds.h"
#include "aws/json.h"
#include "aws/profile.h"
#include "aws/variables.h"

static const struct service_row {
    const char *name, *variable;
    enum profile_key key;
} services[] = {
    [SERVICE_SSM] = {"ssm", "AWS_ENDPOINT_URL_SSM", PROFILE_ENDPOINT_SSM},
    [SERVICE_STS] = {"sts", "AWS_ENDPOINT_URL_STS", PROFILE_ENDPOINT_STS},
};

/* "arn:aws:ecs:eu-west-1:..." -> "eu-west-1" */
static bool region_of_arn(const char *arn, char *out, size_t size)
{
    char region[40];

    if (arn == NULL || sscanf(arn, "arn:%*[^:]:ecs:%39[^:]:", region) != 1) {
        return false;
    }
    snprintf(out, size, "%s", region);
    return true;
}

/* The task's own description; its address is given by the agent. */
static bool ask_task(struct http *http, char *out, size_t size)
{
    const char *base = variable("ECS_CONTAINER_METADATA_URI_V4");
    char url[512], host[ENDPOINT_SIZE];
    struct http_request request = {
        .url = url, .connect_ms = 1000, .total_ms = 2000, .max_bytes = 65536, .direct = true};
    struct http_response response;
    struct source_fault fault;
    struct json *json;
    bool found;

    if (base == NULL || !endpoint_host(base, host, sizeof host) ||
        snprintf(url, sizeof url, "%s/task", base) >= (int)sizeof url ||
        !http_send(http, &request, &response, &fault)) {
        return false;
    }
    json = json_read(response.body, response.length);
    found = response.status == 200 && region_of_arn(json_text(json, "TaskARN"), out, size);
    json_free(json);
    http_response_free(&response);
    return found;
}

static bool ask_instance(struct http *http, char *out, size_t size, char *why, size_t why_size)
{
    struct imds imds;
    struct http_response response;

    if (!imds_open(&imds, http, why, why_size) ||
        !imds_get(&imds, "/latest/meta-data/placement/region", &response, why, why_size)) {
        return false;
    }
    snprintf(out, size, "%.*s", (int)strcspn(response.body, "\r\n"), response.body);
    http_response_free(&response);
    return true;
}

static bool find_region(struct http *http, const struct profile *profile, char *out,
                        size_t size, struct source_fault *fault)
{
    const char *given[] = {variable("AWS_REGION"), variable("AWS_DEFAULT_REGION"),
                           profile->values[PROFILE_REGION]};
    char why[200];

    for (size_t i = 0; i < sizeof given / sizeof given[0]; i++) {
        if (given[i] != NULL) {
            snprintf(out, size, "%s", given[i]);
            return true;
        }
    }
    if (ask_task(http, out, size) || ask_instance(http, out, size, why, sizeof why)) {
        return true;
    }
    source_fault_set(fault, "NoRegion",
                     "no region: AWS_REGION is not set, the profile [%.40s] has none, "
                     "no ECS metadata; instance: %s",
                     profile->name, why);
    return false;
}

/* A switch of the environment, or else of the profile. */
static bool is_on(const char *name, const char *in_profile)
{
    return is_true(variable(name) != NULL ? variable(name) : in_profile);
}

/* The first that is given: AWS_ENDPOINT_URL_SSM, AWS_ENDPOINT_URL, the profile's services, its
   endpoint_url; all may be switched off. */
static const char *find_override(const struct service_row *service,
                                 const struct profile *profile)
{
    const char *const given[] = {variable(service->variable), variable("AWS_ENDPOINT_URL"),
                                 profile->values[service->key],
                                 profile->values[PROFILE_ENDPOINT]};

    if (is_on("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
              profile->values[PROFILE_IGNORE_ENDPOINTS])) {
        return NULL;
    }
    for (size_t i = 0; i < sizeof given / sizeof given[0]; i++) {
        if (given[i] != NULL) {
            return given[i];
        }
    }
    return NULL;
}

bool place_find(struct http *http, enum service service, struct place *out,
                struct source_fault *fault)
{
    const struct service_row *row = &services[service];
    struct profile profile;
    struct endpoint_choice choice;
    char why[200];
    bool found;

    profile_load(&profile);
    found = find_region(http, &profile, out->region, sizeof out->region, fault);
    if (found) {
        choice = (struct endpoint_choice){
            .region = out->region,
            .override = find_override(row, &profile),
            .fips = is_on("AWS_USE_FIPS_ENDPOINT", profile.values[PROFILE_FIPS]),
            .dualstack =
                is_on("AWS_USE_DUALSTACK_ENDPOINT", profile.values[PROFILE_DUALSTACK])};
        found = endpoint_url(&choice, row->name, out->url, why, sizeof why);
        if (!found) {
            source_fault_set(fault, "BadEndpoint", "%s", why);
        }
    }
    profile_free(&profile);
    return found;
}
