/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rules in force, in the ledger: see keep.h. */
#include "config.h"

#include "policy/keep.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "journal/ledger.h"
#include "lib/log.h"
#include "policy/file.h"
#include "policy/parse.h"
#include "policy/policy.h"
#include "policy/print.h"
#include "policy/rules.h"

int policy_keep(const struct policy *policy)
{
	uint32_t cell, old;
	char *text;

	if (ledger == NULL)
		return 0;
	text = policy_print(policy);
	if (text == NULL)
		return -ENOMEM;
	cell = text_write(text, strlen(text));
	free(text);
	if (cell == 0)
		return -ENOMEM;
	old = ledger->policy;
	/* One store, behind the text: killed on either side of it, there are whole rules. */
	atomic_signal_fence(memory_order_seq_cst);
	ledger->policy = cell;
	atomic_signal_fence(memory_order_seq_cst);
	text_free(old);
	return 0;
}

int policy_keep_first(void)
{
	const struct policy *policy = policy_in_force();

	return policy != NULL && ledger != NULL && ledger->policy == 0 ? policy_keep(policy) : 0;
}

/* 0, -ENOMEM, or -EINVAL: broken. */
static int load(struct policy **ret_policy)
{
	size_t len = text_len(ledger->policy);
	struct policy_error error;
	char *text;
	int err = -EINVAL;

	if (len == 0 || !text_claim(ledger->policy))
		return -EINVAL;
	text = malloc(len);
	if (text == NULL)
		return -ENOMEM;
	if (text_read(ledger->policy, text, len) == len)
		err = policy_parse_printed(text, len, ret_policy, &error);
	free(text);
	return err;
}

/* It died before it had written any down, and so before it served: the rules are the first ones. */
static int begin(const char *path, struct policy **ret_policy)
{
	char message[LOG_LINE_MAX];
	int err = policy_read(path, ret_policy, message, sizeof(message));

	if (err != 0)
		pr_err("%s", message);
	return err;
}

int policy_resume(const char *path)
{
	bool served = ledger->policy != 0 || ledger->served != 0;
	struct policy *policy = NULL;
	int err;

	if (!served && policy_has_file())
		return 0;
	err = served ? load(&policy) : begin(path, &policy);
	if (err != 0 && err != -ENOMEM) {
		pr_err("%s: the rules that were in force are lost: all is refused until SIGHUP",
		       path);
		ledger->policy = 0;
		policy = calloc(1, sizeof(*policy));
	}
	if (policy == NULL)
		return -ENOMEM;
	if (policy->path == NULL)
		policy->path = strdup(path);
	if (policy->path == NULL) {
		policy_free(policy);
		return -ENOMEM;
	}
	policy_set(policy);
	return 0;
}
