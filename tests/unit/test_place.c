/* aws/place: the region and the URL that the environment and the profile give, as far as it
   goes without a network. */
#include "aws/place.h"

#include "credentials_stage.h"

static struct place place;

/* Lines of the profile, then variables; both may be NULL. */
static const struct {
    const char *profile, *variables[4];
    enum service service;
    const char *region, *url; /* region NULL: the fault's code */
} places[] = {
    {NULL, {NULL}, SERVICE_SSM, NULL, "NoRegion"},
    {"region = r-p", {NULL}, SERVICE_SSM, "r-p", "https://ssm.r-p.amazonaws.com"},
    {"region = r-p",
     {"AWS_DEFAULT_REGION=r-d"},
     SERVICE_SSM,
     "r-d",
     "https://ssm.r-d.amazonaws.com"},
    {"region = r-p",
     {"AWS_DEFAULT_REGION=r-d", "AWS_REGION=r"},
     SERVICE_SSM,
     NULL,
     "BadEndpoint"},
    {NULL,
     {"AWS_DEFAULT_REGION=r-d", "AWS_REGION=r-r"},
     SERVICE_STS,
     "r-r",
     "https://sts.r-r.amazonaws.com"},
    {NULL,
     {"AWS_DEFAULT_REGION=r-d", "AWS_REGION="},
     SERVICE_SSM,
     "r-d",
     "https://ssm.r-d.amazonaws.com"},
    {"region = r-p\nendpoint_url = http://all", {NULL}, SERVICE_STS, "r-p", "http://all"},
    {"region = r-p\nendpoint_url = http://all\nservices = local",
     {NULL},
     SERVICE_SSM,
     "r-p",
     "http://ssm"},
    {"region = r-p\nendpoint_url = http://all\nservices = local",
     {NULL},
     SERVICE_STS,
     "r-p",
     "http://sts"},
    {"region = r-p\nendpoint_url = http://all\nservices = elsewhere",
     {NULL},
     SERVICE_SSM,
     "r-p",
     "http://all"},
    {"region = r-p\nservices = default\nssm =\n  endpoint_url = http://no",
     {NULL},
     SERVICE_SSM,
     "r-p",
     "https://ssm.r-p.amazonaws.com"},
    {"region = r-p\nservices = local",
     {"AWS_ENDPOINT_URL=http://env"},
     SERVICE_SSM,
     "r-p",
     "http://env"},
    {"region = r-p",
     {"AWS_ENDPOINT_URL=http://env", "AWS_ENDPOINT_URL_SSM=http://env-ssm"},
     SERVICE_SSM,
     "r-p",
     "http://env-ssm"},
    {"region = r-p",
     {"AWS_ENDPOINT_URL=http://env", "AWS_ENDPOINT_URL_SSM=http://env-ssm"},
     SERVICE_STS,
     "r-p",
     "http://env"},
    {"region = r-p\nendpoint_url = http://all",
     {"AWS_ENDPOINT_URL=http://env", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=TRUE"},
     SERVICE_SSM,
     "r-p",
     "https://ssm.r-p.amazonaws.com"},
    {"region = r-p\nignore_configured_endpoint_urls = true",
     {"AWS_ENDPOINT_URL=http://env"},
     SERVICE_SSM,
     "r-p",
     "https://ssm.r-p.amazonaws.com"},
    {"region = r-p\nignore_configured_endpoint_urls = true",
     {"AWS_ENDPOINT_URL=http://env", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=false"},
     SERVICE_SSM,
     "r-p",
     "http://env"},
    {"region = r-p\nuse_fips_endpoint = true",
     {NULL},
     SERVICE_SSM,
     "r-p",
     "https://ssm-fips.r-p.amazonaws.com"},
    {"region = r-p\nuse_fips_endpoint = true",
     {"AWS_USE_FIPS_ENDPOINT=false"},
     SERVICE_SSM,
     "r-p",
     "https://ssm.r-p.amazonaws.com"},
    {"region = r-p\nuse_dualstack_endpoint = true",
     {NULL},
     SERVICE_SSM,
     "r-p",
     "https://ssm.r-p.api.aws"},
    {"region = r-p",
     {"AWS_USE_DUALSTACK_ENDPOINT=true", "AWS_USE_FIPS_ENDPOINT=true"},
     SERVICE_SSM,
     "r-p",
     "https://ssm-fips.r-p.api.aws"},
    {"region = r-p",
     {"AWS_USE_DUALSTACK_ENDPOINT=true", "AWS_ENDPOINT_URL=http://env"},
     SERVICE_SSM,
     NULL,
     "BadEndpoint"},
};

static void set_stage(const char *profile, const char *const variables[4])
{
    char text[600];

    snprintf(text, sizeof text,
             "[default]\n%s\n[services local]\nssm =\n  endpoint_url = http://ssm\n"
             "sts =\n  endpoint_url = http://sts/\n",
             profile != NULL ? profile : "");
    write_file(".aws/config", text);
    for (int i = 0; i < 4 && variables[i] != NULL; i++) {
        putenv((char *)variables[i]);
    }
}

START_TEST(places_in_order)
{
    set_stage(places[_i].profile, places[_i].variables);
    ck_assert(place_find(http, places[_i].service, &place, &fault) ==
              (places[_i].region != NULL));
    if (places[_i].region != NULL) {
        ck_assert_str_eq(place.region, places[_i].region);
        ck_assert_str_eq(place.url, places[_i].url);
    } else {
        ck_assert_str_eq(fault.code, places[_i].url);
    }
}
END_TEST

START_TEST(what_was_tried_is_told)
{
    ck_assert(!place_find(http, SERVICE_SSM, &place, &fault));
    ck_assert_str_eq(fault.text, "no region: AWS_REGION is not set, the profile [default] has "
                                 "none, no ECS metadata; instance: AWS_EC2_METADATA_DISABLED "
                                 "is true");
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("place");
    TCase *t = tcase_create("all");

    tcase_add_checked_fixture(t, set_up, tear_down);
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, places_in_order, 0, COUNT(places));
    tcase_add_test(t, what_was_tried_is_told);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    return run_suite(suite());
}
