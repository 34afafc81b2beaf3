/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of uapi/operation.c: the table, and words as arguments of an ioctl. */
#include "config.h"

#include "uapi/operation.h"

#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "lib/util.h"
#include "uapi/state.h"
#include "unit.h"

/* Each row can be found, by one number and one word, and says what the number says. */
START_TEST(row)
{
	const struct operation *op = &operations[_i];

	ck_assert_ptr_eq(operation_by_cmd(op->cmd), op);
	if (op->word != NULL)
		ck_assert_ptr_eq(operation_by_word(op->word), op);
	ck_assert_uint_eq(_IOC_TYPE(op->cmd), SOCKFS_IOC_MAGIC);
	ck_assert_uint_eq(_IOC_SIZE(op->cmd), op_kinds[op->arg].size);
	/* What a person can do has help; what only reads needs no right to write. */
	ck_assert_int_eq(op->word != NULL, op->help != NULL);
	ck_assert_int_eq(op->need == OP_NEED_WRITE, !(_IOC_DIR(op->cmd) & _IOC_READ));
	if (op->flags & OP_TEXT)
		ck_assert_int_eq(op->need, OP_NEED_WRITE);
}
END_TEST

START_TEST(no_row)
{
	ck_assert_ptr_null(operation_by_cmd(0));
	ck_assert_ptr_null(operation_by_cmd(_IO(SOCKFS_IOC_MAGIC, 0)));
	ck_assert_ptr_null(operation_by_cmd(_IOW(SOCKFS_IOC_MAGIC, 3, __u64)));
	ck_assert_ptr_null(operation_by_word(""));
	ck_assert_ptr_null(operation_by_word("Connect"));
	ck_assert_ptr_null(operation_by_word("getsockname"));
	ck_assert_ptr_null(operation_by_word("inq"));
}
END_TEST

/* word and up to three words behind it; the text of the call or the error. */
static const struct {
	const char *words[4];
	int err;
	bool bind;
	const char *host, *port; /* of addr; NULL: it is not looked at */
	__s32 number;		 /* -1: the same */
} lines[] = {
	{{"connect", "127.0.0.1:80"}, 0, false, "127.0.0.1", "80", -1},
	{{"bind", "*:0"}, 0, false, "", "0", -1},
	{{"connect", "80"}, -EINVAL, false, NULL, NULL, -1},
	{{"connect"}, -EINVAL, false, NULL, NULL, -1},
	{{"connect", "a:1", "b:2"}, -EINVAL, false, NULL, NULL, -1},
	{{"listen"}, 0, false, NULL, NULL, 0},
	{{"listen", "16"}, 0, false, NULL, NULL, 16},
	{{"listen", "[::1]:http"}, 0, true, "::1", "http", 0},
	{{"listen", ":80", "5"}, 0, true, "", "80", 5},
	{{"listen", "5", ":80"}, -EINVAL, false, NULL, NULL, -1},
	{{"listen", ":80", "x"}, -EINVAL, false, NULL, NULL, -1},
	{{"listen", ":80", "-1"}, -EINVAL, false, NULL, NULL, -1},
	{{"listen", ":x:"}, -EINVAL, false, NULL, NULL, -1},
	{{"listen", ":80", "5", "6"}, -EINVAL, false, NULL, NULL, -1},
	{{"shutdown", "rd"}, 0, false, NULL, NULL, SHUT_RD},
	{{"shutdown", "wr"}, 0, false, NULL, NULL, SHUT_WR},
	{{"shutdown", "rdwr"}, 0, false, NULL, NULL, SHUT_RDWR},
	{{"shutdown", "RD"}, -EINVAL, false, NULL, NULL, -1},
	{{"shutdown", ""}, -EINVAL, false, NULL, NULL, -1},
	{{"shutdown"}, -EINVAL, false, NULL, NULL, -1},
	{{"abort"}, 0, false, NULL, NULL, -1},
	{{"abort", "now"}, -EINVAL, false, NULL, NULL, -1},
	{{"set", "nodelay"}, -EINVAL, false, NULL, NULL, -1},
	{{"set", "nodelay", "off", "on"}, -EINVAL, false, NULL, NULL, -1},
	{{"set", "nodelay", "5"}, -EINVAL, false, NULL, NULL, -1},
	{{"set", "nagle", "on"}, -ENOPROTOOPT, false, NULL, NULL, -1},
	{{"set", "error", "0"}, -ENOPROTOOPT, false, NULL, NULL, -1},
	{{"get", "error"}, 0, false, NULL, NULL, -1},
	{{"get", "nagle"}, -ENOPROTOOPT, false, NULL, NULL, -1},
	{{"local"}, 0, false, "", "", -1},
	{{"peer", "x"}, -EINVAL, false, NULL, NULL, -1},
	{{"accept"}, 0, false, NULL, NULL, -1},
};

START_TEST(line)
{
	char *words[ARRAY_SIZE(lines[0].words)];
	struct op_call call;
	int argc = 0;

	for (size_t i = 1; i < ARRAY_SIZE(words) && lines[_i].words[i] != NULL; i++)
		words[argc++] = (char *)lines[_i].words[i];
	ck_assert_int_eq(operation_parse(operation_by_word(lines[_i].words[0]), argc, words, &call),
			 lines[_i].err);
	if (lines[_i].err != 0)
		return;
	ck_assert_str_eq(call.op->word, lines[_i].words[0]);
	ck_assert_int_eq(call.bind, lines[_i].bind);
	if (lines[_i].host != NULL) {
		ck_assert_str_eq(call.addr.host, lines[_i].host);
		ck_assert_str_eq(call.addr.port, lines[_i].port);
		if (!call.bind)
			ck_assert_ptr_eq(call.arg, &call.addr);
	}
	if (lines[_i].number != -1) {
		ck_assert_int_eq(call.number, lines[_i].number);
		ck_assert_ptr_eq(call.arg, &call.number);
	}
}
END_TEST

START_TEST(options)
{
	char name[] = "keepidle", value[] = "0x10";
	char *const words[] = {name, value};
	struct op_call call;
	int n;

	ck_assert_int_eq(operation_parse(operation_by_word("set"), 2, words, &call), 0);
	ck_assert_ptr_eq(call.arg, &call.opt);
	ck_assert_int_eq(call.opt.level, IPPROTO_TCP);
	ck_assert_int_eq(call.opt.name, TCP_KEEPIDLE);
	ck_assert_uint_eq(call.opt.len, sizeof(n));
	memcpy(&n, call.opt.value, sizeof(n));
	ck_assert_int_eq(n, 16);
	ck_assert_int_eq(operation_parse(operation_by_word("get"), 1, words, &call), 0);
	ck_assert_ptr_eq(call.arg, &call.opt);
	ck_assert_int_eq(call.opt.name, TCP_KEEPIDLE);
	ck_assert_uint_eq(call.opt.len, sizeof(call.opt.value)); /* the room for the answer */
}
END_TEST

START_TEST(nothing_has_no_argument)
{
	struct op_call call;

	ck_assert_int_eq(operation_parse(operation_by_word("abort"), 0, NULL, &call), 0);
	ck_assert_ptr_null(call.arg);
}
END_TEST

START_TEST(states)
{
	for (unsigned int i = SOCKFS_UNCONNECTED; i <= SOCKFS_CLOSED; i++)
		ck_assert_uint_eq(state_by_name(state_name(i)), i);
	ck_assert_str_eq(state_name(0), "unknown");
	ck_assert_str_eq(state_name(SOCKFS_CLOSED + 1), "unknown");
	ck_assert_str_eq(state_name(UINT_MAX), "unknown");
	ck_assert_uint_eq(state_by_name("unknown"), 0);
	ck_assert_uint_eq(state_by_name(""), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("operation");
	TCase *tc = tcase_create("operation");

	tcase_add_loop_test(tc, row, 0, (int)nr_operations);
	tcase_add_test(tc, no_row);
	tcase_add_loop_test(tc, line, 0, (int)ARRAY_SIZE(lines));
	tcase_add_test(tc, options);
	tcase_add_test(tc, nothing_has_no_argument);
	tcase_add_test(tc, states);
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
