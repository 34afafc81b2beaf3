/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Policy files: bytes as they are, or bytes that choose among the words of the
 * grammar; whatever comes out is asked questions. fuzz.c or libFuzzer makes the bytes.
 */
#include "config.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "lib/util.h"
#include "policy/match.h"
#include "policy/parse.h"
#include "policy/print.h"

#define TEXT_MAX 65536

static const char *const words[] = {
	"allow ", "deny ", "connect ", "listen ", "to ", "on ", "port ", "proto ", "uid ", "gid ",
	"log ", "any", "private", "*", "*.", "a.example", ".", ",", ", ", "\n", "\n", "\nallow connect ",
	"\ndeny connect to ", "\nallow listen on ", "10.0.0.0/8", "::1", "fe80::/10", "::ffff:1.2.3.4",
	"/", "1", "80-90", "65535", "4294967294", "-", "tcp", "udp,tls", "root", "0", "http", " ", "\t",
	"\\\n", "\\", "#", "\r\n", "x", "unix:", "/a", "/*", "*a", "?", "/**", "@", "unix", "/proc/self",
};

static void check_rule(const struct policy *p, const struct rule *rule)
{
	if (rule != NULL && (rule < p->rules || rule >= p->rules + p->nr_rules))
		abort();
}

/* A path of what the patterns above are made of. */
static void ask_path(const struct policy *p, const struct policy_ask *question, const uint8_t *data,
		     size_t size)
{
	static const char letters[] = "/a*?@ab/";
	char path[64] = "/";

	for (size_t i = 0; i < size && i < sizeof(path) - 2; i++)
		path[i + (data[0] % 2)] = letters[data[i] % (sizeof(letters) - 1)];
	for (int verb = POLICY_CONNECT; verb <= POLICY_LISTEN; verb++)
		check_rule(p, policy_match_path(p, question, (enum policy_verb)verb, path));
	(void)policy_match_leads(p, question, path);
}

/* Questions of all kinds; each answer is one of the rules or none. */
static void ask(const struct policy *p, const uint8_t *data, size_t size)
{
	static gid_t groups[] = {0, 1, 100};
	struct sockaddr_in sin = {.sin_family = AF_INET};
	struct sockaddr_in6 sin6 = {.sin6_family = AF_INET6};
	struct policy_ask question = {
		.cred = {size & 1, size & 2, 1},
		.proto = size & 4 ? "tcp" : "udp",
		.groups = groups,
		.nr_groups = size % 4,
	};

	memcpy(&sin.sin_addr, data, size < 4 ? size : 4);
	memcpy(&sin6.sin6_addr, data, size < 16 ? size : 16);
	sin.sin_port = sin6.sin6_port = htons((uint16_t)(size * 257));
	for (int named = 0; named < 2; named++) {
		question.name = named ? (char *)"a.a.example" : NULL;
		for (int verb = POLICY_CONNECT; verb <= POLICY_LISTEN; verb++) {
			check_rule(p, policy_match(p, &question, (enum policy_verb)verb,
						   (struct sockaddr *)&sin, NULL));
			check_rule(p, policy_match(p, &question, (enum policy_verb)verb,
						   (struct sockaddr *)&sin6, NULL));
		}
	}
	check_rule(p, policy_match_name(p, &question, "80"));
	ask_path(p, &question, data, size);
}

/* What is written down of rules is the same rules. */
static void check_printed(const struct policy *p)
{
	char *text = policy_print(p), *again;
	struct policy_error error;
	struct policy *q = NULL;

	if (text == NULL || policy_parse_printed(text, strlen(text), &q, &error) != 0)
		abort();
	again = policy_print(q);
	if (again == NULL || strcmp(text, again) != 0 || q->nr_rules != p->nr_rules)
		abort();
	for (size_t i = 0; i < p->nr_rules; i++)
		if (p->rules[i].line != q->rules[i].line ||
		    p->rules[i].targets.n != q->rules[i].targets.n)
			abort();
	policy_free(q);
	free(again);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char text[TEXT_MAX];
	struct policy_error error = {0};
	struct policy *p = NULL;
	size_t n = fuzz_text(data, size, words, ARRAY_SIZE(words), text, sizeof(text)), lines = 1;
	/* Of its own size, so that a byte too far is found. */
	char *copy = malloc(n + 1);

	if (copy == NULL)
		return 0;
	memcpy(copy, text, n);
	copy = realloc(copy, n > 0 ? n : 1);
	for (size_t i = 0; i < n; i++)
		lines += text[i] == '\n';
	if (policy_parse(copy, n, &p, &error) == 0) {
		ask(p, data, size);
		check_printed(p);
		policy_free(p);
	} else if (p != NULL || error.line == 0 || error.line > lines || error.column == 0 ||
		   error.reason[0] == '\0') {
		abort();
	}
	free(copy);
	return 0;
}
