/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rules in force, in the ledger: see keep.h. */
#include "config.h"

#include "policy/keep.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "journal/ledger.h"
#include "lib/fnv.h"
#include "lib/log.h"
#include "policy/file.h"
#include "policy/parse.h"
#include "policy/policy.h"
#include "policy/print.h"
#include "policy/rules.h"

/* What lies there: a digit that is another one by now would be another rule. */
struct kept {
	uint64_t hash; /* of the text */
	char text[];
};

/* @text as it is kept, and its size; NULL: no memory. */
static struct kept *pack(const char *text, size_t *ret_size)
{
	size_t len = strlen(text);
	struct kept *kept = malloc(sizeof(*kept) + len);

	if (kept == NULL)
		return NULL;
	kept->hash = fnv1a(FNV1A_BASIS, text, len);
	memcpy(kept->text, text, len);
	*ret_size = sizeof(*kept) + len;
	return kept;
}

int policy_keep(const struct policy *policy)
{
	struct kept *kept = NULL;
	uint32_t cell, old;
	size_t size = 0;
	char *text;

	if (ledger == NULL)
		return 0;
	text = policy_print(policy);
	if (text != NULL)
		kept = pack(text, &size);
	free(text);
	if (kept == NULL)
		return -ENOMEM;
	cell = text_write(kept, size);
	free(kept);
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
	size_t size = text_len(ledger->policy), len = size - sizeof(struct kept);
	struct policy_error error;
	struct kept *kept;
	int err = -EINVAL;

	if (size <= sizeof(*kept) || !text_claim(ledger->policy))
		return -EINVAL;
	kept = malloc(size);
	if (kept == NULL)
		return -ENOMEM;
	if (text_read(ledger->policy, kept, size) == size &&
	    fnv1a(FNV1A_BASIS, kept->text, len) == kept->hash)
		err = policy_parse_printed(kept->text, len, ret_policy, &error);
	free(kept);
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
