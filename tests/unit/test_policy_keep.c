/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of rules that outlive a process: printed, parsed again, and in the ledger. */
#include "config.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "journal/ledger.h"
#include "policy/keep.h"
#include "policy/parse.h"
#include "policy/policy.h"
#include "policy/print.h"
#include "unit.h"

#define COUNT(a) ((int)(sizeof(a) / sizeof((a)[0])))
#define PATH "/no/such/file"

static struct policy *parse(const char *text)
{
	struct policy_error error;
	struct policy *p = NULL;
	int err = policy_parse(text, strlen(text), &p, &error);

	ck_assert_msg(err == 0, "%u:%u: %s in: %s", error.line, error.column, error.reason, text);
	p->path = strdup(PATH);
	return p;
}

/* What a text becomes when it is printed; NULL: itself, and a newline. */
static const struct {
	const char *text, *printed;
} prints[] = {
	{"", NULL},
	{"# nothing\n", "\n"},
	{"allow connect", NULL},
	{"deny listen log", NULL},
	{"\n\n# two\ndeny connect\nallow \\\n listen # on all", "\n\n\ndeny connect\nallow listen\n"},
	{"allow connect to any,private,*", NULL},
	{"allow connect to 10.1.2.3/8,::1,::ffff:1.2.3.4", "allow connect to 10.1.2.3/8,::1/128,1.2.3.4/32\n"},
	{"allow listen on 0.0.0.0,::/0", "allow listen on 0.0.0.0/32,::/0\n"},
	/* They are names, and not what their words mean. */
	{"allow connect to any.,private.,A.example", "allow connect to any.,private.,a.example.\n"},
	{"deny connect to *.Example.", "deny connect to *.example\n"},
	{"allow connect to unix:/run/*/b?s,unix:@x*", NULL},
	{"allow listen on unix:/run/**", NULL},
	{"allow connect port http,81,8000-8009,8005-8010", "allow connect port 80,81,8000-8010\n"},
	{"allow connect port 0 proto unix,tcp", "allow connect port 0 proto tcp,unix\n"},
	{"deny connect uid root,4294967294 gid 5-9,root log",
	 "deny connect uid 0,4294967294 gid 0,5-9 log\n"},
};

START_TEST(printed_and_parsed)
{
	char *wanted = NULL, *text, *again;
	struct policy *p = parse(prints[_i].text);
	struct policy_error error;

	ck_assert_int_gt(asprintf(&wanted, "%s\n", prints[_i].text), 0);
	text = policy_print(p);
	ck_assert_str_eq(text, prints[_i].printed != NULL ? prints[_i].printed : wanted);
	policy_free(p);
	ck_assert_int_eq(policy_parse_printed(text, strlen(text), &p, &error), 0);
	again = policy_print(p);
	ck_assert_str_eq(again, text);
	policy_free(p);
	free(again);
	free(text);
	free(wanted);
}
END_TEST

/* A word as long as there may be is no longer when it is printed. */
START_TEST(the_longest_words_are_printed)
{
	static const char label[] = "a23456789a23456789a23456789a23456789a23456789a23456789a23456789";
	char text[600], *printed;
	struct policy_error error;
	struct policy *p;

	snprintf(text, sizeof(text), "allow connect to *.%s.%s.%s.%.61s,%s.%s.%s.%.61s", label, label,
		 label, label, label, label, label, label);
	p = parse(text);
	printed = policy_print(p);
	policy_free(p);
	ck_assert_int_eq(policy_parse_printed(printed, strlen(printed), &p, &error), 0);
	policy_free(p);
	free(printed);
}
END_TEST

/* A path that came into force may lead through a link since; else it would refuse everything. */
START_TEST(a_link_since_then_is_no_fault)
{
	static const char text[] = "allow connect to unix:/proc/self/x\n";
	struct policy_error error;
	struct policy *p = NULL;

	ck_assert_int_eq(policy_parse(text, strlen(text), &p, &error), -EINVAL);
	ck_assert_int_eq(policy_parse_printed(text, strlen(text), &p, &error), 0);
	policy_free(p);
}
END_TEST

/* ---------------------------------------------------------------------- in the ledger */

static void setup(void)
{
	ck_assert_int_eq(ledger_make(8192), 0);
	ledger_begin();
}

static void teardown(void)
{
	policy_clear();
	ledger_drop();
}

static void assert_in_force(const char *text)
{
	char *printed = policy_print(policy_in_force());

	ck_assert_str_eq(printed, text);
	ck_assert_str_eq(policy_in_force()->path, PATH);
	free(printed);
}

/* As SIGHUP does it. */
static void reload(const char *text)
{
	struct policy *p = parse(text);

	ck_assert_int_eq(policy_keep(p), 0);
	policy_set(p);
}

START_TEST(what_was_in_force_is_again)
{
	reload("allow connect uid root");
	reload("allow connect to 10.0.0.1\n\ndeny listen");
	/* The first text is nobody's any more. */
	ck_assert_uint_eq(text_len(ledger->policy),
			  8 + strlen("allow connect to 10.0.0.1/32\n\ndeny listen\n"));
	policy_set(parse("allow connect"));
	ck_assert_int_eq(policy_resume(PATH), 0);
	assert_in_force("allow connect to 10.0.0.1/32\n\ndeny listen\n");
	ck_assert_int_eq(policy_keep_first(), 0);
	assert_in_force("allow connect to 10.0.0.1/32\n\ndeny listen\n");
}
END_TEST

START_TEST(an_empty_file_refuses_all_still)
{
	reload("");
	policy_set(parse("allow connect"));
	ck_assert_int_eq(policy_resume(PATH), 0);
	assert_in_force("\n");
}
END_TEST

/* Before anything was served, and written down, those of the beginning hold. */
START_TEST(nothing_is_written_down_yet)
{
	policy_set(parse("allow connect"));
	ck_assert_int_eq(policy_resume(PATH), 0);
	assert_in_force("allow connect\n");
	ck_assert_uint_eq(ledger->policy, 0);
	ck_assert_int_eq(policy_keep_first(), 0);
	ck_assert_uint_ne(ledger->policy, 0);
}
END_TEST

/* Whatever cannot be read allows nothing: not even what the beginning has allowed. */
START_TEST(broken_rules_refuse_all)
{
	char *bytes;

	reload("allow connect to 10.0.0.1");
	bytes = ((struct ledger_cell *)ledger_at(LEDGER_CELLS, ledger->policy))->bytes;
	if (_i == 0)
		ledger->policy = 0;
	else if (_i == 1)
		ledger->policy = 4711;
	else if (_i == 2)
		memcpy(bytes + 8, "xx", 2);
	else if (_i == 3)
		*strchr(bytes + 8, '1') = '2'; /* a rule as good as the one that was there */
	else if (_i == 4)
		((struct ledger_cell *)ledger_at(LEDGER_CELLS, ledger->policy))->len -= 4; /* /32 is gone */
	else
		(void)text_claim(ledger->policy); /* it is another's */
	ledger->served = 1;
	ck_assert_int_eq(policy_resume(PATH), 0);
	assert_in_force("\n");
	ck_assert_int_eq(policy_keep_first(), 0);
	ck_assert_uint_eq(text_len(ledger->policy), 8 + 1);
}
END_TEST

/* A new program, which has read no file: the one that is there now, or nothing. */
START_TEST(a_program_without_rules)
{
	ck_assert_int_eq(policy_resume(PATH), 0);
	assert_in_force("\n");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("policy keep");
	TCase *tc = tcase_create("printed"), *kept = tcase_create("kept");

	tcase_add_loop_test(tc, printed_and_parsed, 0, COUNT(prints));
	tcase_add_test(tc, the_longest_words_are_printed);
	tcase_add_test(tc, a_link_since_then_is_no_fault);
	suite_add_tcase(s, tc);
	tcase_add_checked_fixture(kept, setup, teardown);
	tcase_add_test(kept, what_was_in_force_is_again);
	tcase_add_test(kept, an_empty_file_refuses_all_still);
	tcase_add_test(kept, nothing_is_written_down_yet);
	tcase_add_loop_test(kept, broken_rules_refuse_all, 0, 6);
	tcase_add_test(kept, a_program_without_rules);
	suite_add_tcase(s, kept);
	return unit_run(s);
}
