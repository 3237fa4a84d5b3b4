/* aws/refusal: AWS's errors in all their forms become one line that holds no secret. */
#include "aws/refusal.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runner.h"

#define COUNT(table) ((int)(sizeof table / sizeof table[0]))
#define NOW          1767323045000 /* 2026-01-02T03:04:05Z */

static const char *const hide[] = {"wJalrXUtnFEMIK7MDENG", "IQoJb3JpZ2luX2VjEXAMPLE",
                                   "AKIDEXAMPLE", "", NULL};
static struct http_response response;
static struct source_fault fault;

static void answer(long status, const char *body)
{
    response = (struct http_response){.status = status, .body = (char *)body};
    response.length = strlen(body);
}

static void header(enum http_header which, const char *text)
{
    snprintf(response.headers[which], sizeof response.headers[which], "%s", text);
}

static const struct {
    long status;
    const char *body, *type; /* type: x-amzn-ErrorType, or "" */
    const char *code, *text;
} refusals[] = {
    {400, "{\"__type\":\"ParameterNotFound\"}", "", "ParameterNotFound",
     "no message (HTTP 400)"},
    {400, "{\"__type\":\"com.amazonaws.ssm#AccessDeniedException\",\"message\":\"User: x\"}",
     "", "AccessDeniedException", "User: x (HTTP 400)"},
    {400, "{\"Message\":\"slow\"}", "ThrottlingException:http://internal/",
     "ThrottlingException", "slow (HTTP 400)"},
    {403,
     "<E><Error><Code>InvalidClientTokenId</Code><Message>bad &amp; worse</Message></Error>"
     "<RequestId>r-1</RequestId></E>",
     "", "InvalidClientTokenId", "bad & worse (HTTP 403, request r-1)"},
    {502, "<html><body>Bad gateway</body></html>", "", "Http502", "no message (HTTP 502)"},
    {500, "", "", "Http500", "no message (HTTP 500)"},
    {400, "{\"__type\":\"Other\"}", "ParameterNotFound", "ParameterNotFound",
     "no message (HTTP 400)"},
    {403, "<E><Code>Other</Code></E>", "ExpiredToken", "ExpiredToken", "no message (HTTP 403)"},
    {400, "{\"message\":\"hidden is hi\"}", "", "Http400", "hidden is hi (HTTP 400)"},
    {400, "{\"__type\":[1],\"message\":{\"a\":1}}", "", "Http400", "no message (HTTP 400)"},
    {400, "{\"__type\":\"evil code\\n\",\"message\":\"a\\nb\"}", "", "evil", "a (HTTP 400)"},
};

START_TEST(code_and_message)
{
    answer(refusals[_i].status, refusals[_i].body);
    header(HTTP_ERROR_TYPE, refusals[_i].type);
    refusal_read(&response, hide, NOW, &fault);
    ck_assert_str_eq(fault.code, refusals[_i].code);
    ck_assert_str_eq(fault.text, refusals[_i].text);
}
END_TEST

START_TEST(request_id_survives_a_long_message)
{
    char body[3000] = "{\"message\":\"";

    memset(body + strlen(body), 'm', 2000);
    strcat(body, "\"}");
    answer(400, body);
    header(HTTP_REQUEST_ID, "11111111-2222-3333-4444-555555555555");
    refusal_read(&response, hide, NOW, &fault);
    ck_assert_uint_lt(strlen(fault.text), SOURCE_FAULT_SIZE);
    ck_assert_ptr_nonnull(strstr(fault.text, "request 11111111-2222-3333-4444-555555555555"));
}
END_TEST

static const char *const quoting[] = {
    "{\"message\":\"token IQoJb3JpZ2luX2VjEXAMPLE is bad\"}",
    "{\"message\":\"IQoJb3JpZ2luX2VjEXAMPLEIQoJb3JpZ2luX2VjEXAMPLE\"}",
    "{\"message\":\"AKIDEXAMPLE, wJalrXUtnFEMIK7MDENG\"}",
    "{\"message\":\"differs. The Canonical String was 'POST x-amz-security-token:IQoJb'\"}",
    "{\"message\":\"differs\\nx-amz-security-token:IQoJb3JpZ2luX2VjEXAMPLE\"}",
};

START_TEST(secrets_are_hidden)
{
    answer(400, quoting[_i]);
    refusal_read(&response, hide, NOW, &fault);
    ck_assert_ptr_null(strstr(fault.text, "IQoJb"));
    ck_assert_ptr_null(strstr(fault.text, "wJalr"));
    ck_assert_ptr_null(strstr(fault.text, "AKID"));
}
END_TEST

START_TEST(secrets_are_hidden_wherever_they_stand)
{
    char body[9000] = "{\"message\":\"";

    /* As often as it takes for one to end where a buffer might. */
    while (strlen(body) < 8000) {
        strcat(body, "IQoJb3JpZ2luX2VjEXAMPLE");
    }
    strcat(body, "\"}");
    answer(400, body);
    header(HTTP_REQUEST_ID, "IQoJb3JpZ2luX2VjEXAMPLE");
    header(HTTP_ERROR_TYPE, "wJalrXUtnFEMIK7MDENG");
    refusal_read(&response, hide, NOW, &fault);
    ck_assert_ptr_null(strstr(fault.text, "IQoJb3JpZ2luX2VjEXAMPLE"));
    ck_assert_str_eq(fault.code, "[hidden]");
}
END_TEST

static const struct {
    const char *date, *text; /* text NULL: nothing about the clock */
} clocks[] = {
    {"Fri, 02 Jan 2026 03:04:35 GMT", NULL},
    {"Fri, 02 Jan 2026 03:08:04 GMT", NULL},
    {"Fri, 02 Jan 2026 03:08:06 GMT", "; this machine's clock is 4 min behind AWS's"},
    {"Fri, 02 Jan 2026 03:00:04 GMT", "; this machine's clock is 4 min ahead of AWS's"},
    {"Fri, 02 Jan 2026 02:04:05 CET", NULL},
    {"Fri, 02 Jan 2026 02:04:05 GMT+1", NULL},
    {"Fri, 02 Jan 2026 03:21:05 GMT", "; this machine's clock is 17 min behind AWS's"},
    {"Fri, 02 Jan 2026 01:04:05 GMT", "; this machine's clock is 2 h ahead of AWS's"},
    {"yesterday", NULL},
    {"", NULL},
};

START_TEST(skew_is_told)
{
    answer(400, "{\"__type\":\"RequestTimeTooSkewed\"}");
    header(HTTP_DATE, clocks[_i].date);
    refusal_read(&response, hide, NOW, &fault);
    if (clocks[_i].text == NULL) {
        ck_assert_ptr_null(strstr(fault.text, "clock"));
    } else {
        ck_assert_msg(strstr(fault.text, clocks[_i].text) != NULL, "%s", fault.text);
    }
}
END_TEST

static const struct {
    const char *code;
    bool throttled, of_credentials;
} codes[] = {
    {"ThrottlingException", true, false},
    {"TooManyRequestsException", true, false},
    {"ExpiredTokenException", false, true},
    {"UnrecognizedClientException", false, true},
    {"AccessDeniedException", false, false},
    {"InternalServerError", false, false},
    {"Throttling", true, false},
    {"ThrottledException", true, false},
    {"RequestThrottled", true, false},
    {"RequestLimitExceeded", true, false},
    {"RequestThrottledException", true, false},
    {"SlowDown", true, false},
    {"BandwidthLimitExceeded", true, false},
    {"TooManyUpdates", true, false},
    {"ExpiredToken", false, true},
    {"InvalidClientTokenId", false, true},
    {"InvalidAccessKeyId", false, true},
    {"InvalidToken", false, true},
    {"SignatureDoesNotMatch", false, true},
    {"InvalidSignatureException", false, true},
    {"RequestTimeTooSkewed", false, false},
};

START_TEST(codes_have_a_meaning)
{
    char body[100];

    snprintf(body, sizeof body, "{\"__type\":\"%s\"}", codes[_i].code);
    answer(400, body);
    header(HTTP_RETRY_AFTER, "7");
    refusal_read(&response, hide, NOW, &fault);
    ck_assert(fault.throttled == codes[_i].throttled);
    ck_assert(refusal_of_credentials(fault.code) == codes[_i].of_credentials);
    ck_assert_int_eq(fault.retry_after_ms, 7000);
}
END_TEST

START_TEST(status_429_asks_for_fewer_calls)
{
    answer(429, "<html>slow down</html>");
    refusal_read(&response, hide, NOW, &fault);
    ck_assert(fault.throttled);
    ck_assert_str_eq(fault.code, "Http429");
    answer(428, "");
    refusal_read(&response, hide, NOW, &fault);
    ck_assert(!fault.throttled);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("refusal");
    TCase *t = tcase_create("all");

    tcase_add_loop_test(t, code_and_message, 0, COUNT(refusals));
    tcase_add_test(t, request_id_survives_a_long_message);
    tcase_add_loop_test(t, secrets_are_hidden, 0, COUNT(quoting));
    tcase_add_test(t, secrets_are_hidden_wherever_they_stand);
    tcase_add_loop_test(t, skew_is_told, 0, COUNT(clocks));
    tcase_add_test(t, status_429_asks_for_fewer_calls);
    tcase_add_loop_test(t, codes_have_a_meaning, 0, COUNT(codes));
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    return run_suite(suite());
}
