/* aws/endpoint: regions, partitions and the URLs that AWS's own rules give. */
#include "aws/endpoint.h"

#include <check.h>
#include <string.h>

#include "runner.h"

#define COUNT(table) ((int)(sizeof table / sizeof table[0]))

static const struct {
    const char *service, *region;
    bool fips, dualstack;
    const char *url;
} urls[] = {
    {"ssm", "us-east-1", false, false, "https://ssm.us-east-1.amazonaws.com"},
    {"ssm", "us-east-1", false, true, "https://ssm.us-east-1.api.aws"},
    {"ssm", "us-east-1", true, false, "https://ssm-fips.us-east-1.amazonaws.com"},
    {"ssm", "us-east-1", true, true, "https://ssm-fips.us-east-1.api.aws"},
    {"sts", "ca-central-1", false, false, "https://sts.ca-central-1.amazonaws.com"},
    {"ssm", "us-gov-west-1", false, false, "https://ssm.us-gov-west-1.amazonaws.com"},
    {"ssm", "us-gov-west-1", true, false, "https://ssm.us-gov-west-1.amazonaws.com"},
    {"sts", "us-gov-east-1", true, true, "https://sts-fips.us-gov-east-1.api.aws"},
    {"ssm", "cn-north-1", false, false, "https://ssm.cn-north-1.amazonaws.com.cn"},
    {"ssm", "cn-north-1", false, true, "https://ssm.cn-north-1.api.amazonwebservices.com.cn"},
    {"ssm", "us-iso-east-1", false, false, "https://ssm.us-iso-east-1.c2s.ic.gov"},
    {"ssm", "us-isob-east-1", true, false, "https://ssm-fips.us-isob-east-1.sc2s.sgov.gov"},
    {"ssm", "us-isof-south-1", false, false, "https://ssm.us-isof-south-1.csp.hci.ic.gov"},
    {"ssm", "eu-isoe-west-1", false, false, "https://ssm.eu-isoe-west-1.cloud.adc-e.uk"},
    {"ssm", "eusc-de-east-1", false, false, "https://ssm.eusc-de-east-1.amazonaws.eu"},
    {"ssm", "mars-south-1", false, false, "https://ssm.mars-south-1.amazonaws.com"},
};

START_TEST(url_of_a_region)
{
    struct endpoint_choice choice = {
        .region = urls[_i].region, .fips = urls[_i].fips, .dualstack = urls[_i].dualstack};
    char out[ENDPOINT_SIZE], why[200];

    ck_assert(endpoint_url(&choice, urls[_i].service, out, why, sizeof why));
    ck_assert_str_eq(out, urls[_i].url);
}
END_TEST

static const struct {
    struct endpoint_choice choice;
    const char *url, *why;
} overrides[] = {
    {{"eu-west-1", "http://127.0.0.1:5000", false, false}, "http://127.0.0.1:5000", NULL},
    {{"eu-west-1", "http://127.0.0.1:5000/", false, false}, "http://127.0.0.1:5000", NULL},
    {{"eu-west-1", "https://vpce.example.net/ssm", false, false},
     "https://vpce.example.net/ssm",
     NULL},
    {{"eu-west-1", "http://localhost", true, false}, NULL, "FIPS"},
    {{"eu-west-1", "http://localhost", false, true}, NULL, "dual-stack"},
    {{"eu-west-1", "localhost:5000", false, false}, NULL, "no URL"},
    {{"eu-west-1", "ftp://localhost", false, false}, NULL, "no URL"},
    {{"eu-west-1", "https://", false, false}, NULL, "no URL"},
    {{"", NULL, false, false}, NULL, "region"},
    {{"eu west 1", NULL, false, false}, NULL, "region"},
    {{"evil.example.net/", NULL, false, false}, NULL, "region"},
    {{"EU-WEST-1", NULL, false, false}, NULL, "region"},
    {{"r-", NULL, false, false}, "https://ssm.r-.amazonaws.com", NULL},
    {{"r", NULL, false, false}, NULL, "region"},
    {{"r-2345678901234567890123456789012", NULL, false, false}, NULL, "region"},
    {{"-x", NULL, false, false}, NULL, "region"},
};

START_TEST(overrides_and_refusals)
{
    char out[ENDPOINT_SIZE], why[200];
    bool done = endpoint_url(&overrides[_i].choice, "ssm", out, why, sizeof why);

    ck_assert(done == (overrides[_i].url != NULL));
    if (done) {
        ck_assert_str_eq(out, overrides[_i].url);
    } else {
        ck_assert_msg(strstr(why, overrides[_i].why) != NULL, "%s", why);
    }
}
END_TEST

static const struct {
    const char *url, *host;
    bool loopback;
} hosts[] = {
    {"http://127.0.0.1:80/x", "127.0.0.1", true},
    {"http://127.9.9.9", "127.9.9.9", true},
    {"http://[::1]:80/x", "::1", true},
    {"http://localhost/", "localhost", true},
    {"https://example.net?x", "example.net", false},
    {"http://localhost.example.net/", "localhost.example.net", false},
    {"http://128.0.0.1/", "128.0.0.1", false},
    {"http://127.0.0.1.example.net/", "127.0.0.1.example.net", false},
    {"http://[::1", NULL, false},
    {"http:///x", NULL, false},
    {"http://127.0.0.1@example.net/", NULL, false},
    {"http://127.0.0.1:80@example.net/", NULL, false},
    {"file:///etc/passwd", NULL, false},
};

START_TEST(hosts_of_urls)
{
    char out[64];
    bool found = endpoint_host(hosts[_i].url, out, sizeof out);

    ck_assert(found == (hosts[_i].host != NULL));
    if (found) {
        ck_assert_str_eq(out, hosts[_i].host);
        ck_assert(endpoint_is_loopback(out) == hosts[_i].loopback);
    }
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("endpoint");
    TCase *t = tcase_create("all");

    tcase_add_loop_test(t, url_of_a_region, 0, COUNT(urls));
    tcase_add_loop_test(t, overrides_and_refusals, 0, COUNT(overrides));
    tcase_add_loop_test(t, hosts_of_urls, 0, COUNT(hosts));
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    return run_suite(suite());
}
