/* The partitions are a table; the rest follows AWS's published endpoint rules for SSM and
   STS. */
#include "aws/endpoint.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

/* The first row whose prefix fits; the last fits all. */
static const struct partition {
    const char *prefix, *domain, *dualstack_domain;
    bool fips_is_plain; /* here the ordinary endpoint is the FIPS one */
} partitions[] = {
    {"cn-", "amazonaws.com.cn", "api.amazonwebservices.com.cn", false},
    {"us-gov-", "amazonaws.com", "api.aws", true},
    {"us-iso-", "c2s.ic.gov", "api.aws.ic.gov", false},
    {"us-isob-", "sc2s.sgov.gov", "api.aws.scloud", false},
    {"us-isof-", "csp.hci.ic.gov", "api.aws.hci.ic.gov", false},
    {"eu-isoe-", "cloud.adc-e.uk", "api.cloud-aws.adc-e.uk", false},
    {"eusc-", "amazonaws.eu", "api.amazonwebservices.eu", false},
    {"", "amazonaws.com", "api.aws", false},
};

static const struct partition *partition_of(const char *region)
{
    const struct partition *row = partitions;

    while (strncmp(region, row->prefix, strlen(row->prefix)) != 0) {
        row++;
    }
    return row;
}

bool endpoint_is_region(const char *text)
{
    size_t n = strlen(text);

    return n >= 2 && n <= 32 && strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-") == n &&
           text[0] != '-';
}

/* An address that somebody gave, without the '/' at its end. */
static bool take_override(const struct endpoint_choice *choice, char out[ENDPOINT_SIZE],
                          char *why, size_t why_size)
{
    char host[ENDPOINT_SIZE];
    int n = snprintf(out, ENDPOINT_SIZE, "%s", choice->override);

    if (choice->fips || choice->dualstack) {
        snprintf(why, why_size, "an endpoint URL excludes %s",
                 choice->fips ? "FIPS" : "dual-stack");
        return false;
    }
    if (n >= ENDPOINT_SIZE || !endpoint_host(out, host, sizeof host)) {
        snprintf(why, why_size, "endpoint '%.80s' is no URL as https://ssm.example.net is",
                 out);
        return false;
    }
    if (out[n - 1] == '/') {
        out[n - 1] = '\0';
    }
    return true;
}

bool endpoint_url(const struct endpoint_choice *choice, const char *service,
                  char out[ENDPOINT_SIZE], char *why, size_t why_size)
{
    const struct partition *partition;
    bool marked;

    if (!endpoint_is_region(choice->region)) {
        snprintf(why, why_size, "'%.40s' is no region's name as eu-west-1 is", choice->region);
        return false;
    }
    if (choice->override != NULL) {
        return take_override(choice, out, why, why_size);
    }
    partition = partition_of(choice->region);
    marked = choice->fips && (choice->dualstack || !partition->fips_is_plain);
    snprintf(out, ENDPOINT_SIZE, "https://%s%s.%s.%s", service, marked ? "-fips" : "",
             choice->region,
             choice->dualstack ? partition->dualstack_domain : partition->domain);
    return true;
}

bool endpoint_host(const char *url, char *out, size_t size)
{
    size_t n;

    if (strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0) {
        return false;
    }
    url = strstr(url, "://") + 3;
    if (*url == '[') {
        n = strcspn(++url, "]/?#");
        if (url[n] != ']') {
            return false;
        }
    } else {
        n = strcspn(url, ":/?#");
    }
    /* "http://127.0.0.1@elsewhere/" is elsewhere. */
    if (n == 0 || n >= size || memchr(url, '@', strcspn(url, "/?#")) != NULL) {
        return false;
    }
    memcpy(out, url, n);
    out[n] = '\0';
    return true;
}

bool endpoint_is_loopback(const char *host)
{
    struct in_addr v4;
    struct in6_addr v6;

    if (strcmp(host, "localhost") == 0) {
        return true;
    }
    if (inet_pton(AF_INET, host, &v4) == 1) {
        return ntohl(v4.s_addr) >> 24 == 127;
    }
    return inet_pton(AF_INET6, host, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}
