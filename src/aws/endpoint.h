/* Where a service of a region is reached. Pure text work: no look-ups. */
#ifndef AWS_ENDPOINT_H
#define AWS_ENDPOINT_H

#include <stdbool.h>
#include <stddef.h>

#define ENDPOINT_SIZE 256

struct endpoint_choice {
    const char *region;
    const char *override; /* a whole URL, or NULL */
    bool fips, dualstack;
};

/* Writes the URL without a final '/' to out. service: "ssm", "sts". Returns false with a line
   in why for a region that is no region's name, for an override that is no http or https URL,
   and for an override together with FIPS or dual-stack, which the SDKs refuse too. */
bool endpoint_url(const struct endpoint_choice *choice, const char *service,
                  char out[ENDPOINT_SIZE], char *why, size_t why_size);

/* Is this the name of a region: lower-case letters, digits and '-'? */
bool endpoint_is_region(const char *text);

/* Copies the host of a URL ("http://[::1]:80/x": "::1"). False when it is no URL. */
bool endpoint_host(const char *url, char *out, size_t size);

/* Is this host this machine: localhost, 127.0.0.0/8, ::1? */
bool endpoint_is_loopback(const char *host);

#endif
