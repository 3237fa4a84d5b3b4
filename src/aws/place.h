/* Where to call: the region, and the service's URL in it, from the environment, the profile and
   the metadata services. */
#ifndef AWS_PLACE_H
#define AWS_PLACE_H

#include <stdbool.h>

#include "aws/endpoint.h"
#include "aws/http.h"
#include "mode/source.h"

enum service {
    SERVICE_SSM,
    SERVICE_STS,
};

struct place {
    char region[40];
    char url[ENDPOINT_SIZE];
};

/* False: *fault (NoRegion, BadEndpoint) names what was tried. */
bool place_find(struct http *http, enum service service, struct place *out,
                struct source_fault *fault);

#endif
