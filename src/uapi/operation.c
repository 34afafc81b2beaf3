/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The one table of operations, and the words behind their names as arguments.
 */
#include "config.h"

#include "uapi/operation.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/util.h"
#include "uapi/addr.h"
#include "uapi/sockopt.h"

#define ROW(name, nr, word, need, arg, flags, help, more) \
	{#name, SOCKFS_IOC_##nr, word, OP_NEED_##need, arg, flags, help, more},

const struct operation operations[] = {OPERATIONS(ROW)};
const size_t nr_operations = ARRAY_SIZE(operations);

const struct op_kind op_kinds[] = {
	[OP_NOTHING] = {0, "", "", 0, 0},
	[OP_ADDR] = {sizeof(struct sockfs_addr), "HOST:PORT", "", 1, 1},
	[OP_LISTEN] = {sizeof(__s32), "[HOST:PORT] [-b BACKLOG]", "b:", 0, 2},
	[OP_HOW] = {sizeof(__s32), NULL, "", 1, 1},
	/* "+", or -1 would be an option: set FILE linger -1 */
	[OP_OPTION] = {sizeof(struct sockfs_sockopt), "OPTION VALUE", "+", 2, 2},
	[OP_GET_OPTION] = {sizeof(struct sockfs_sockopt), "OPTION", "", 1, 1},
	[OP_SET_TEXT] = {sizeof(struct sockfs_text), "", "", 0, 0},
	[OP_GET_TEXT] = {sizeof(struct sockfs_text), "", "", 0, 0},
	[OP_GROUP] = {sizeof(struct sockfs_addr), "GROUP [INTERFACE]", "", 1, 2},
	[OP_NAME] = {sizeof(struct sockfs_addr), "[NAME]", "", 0, 1},
	[OP_RET_ADDR] = {sizeof(struct sockfs_addr), "", "", 0, 0},
	[OP_RET_ACCEPT] = {sizeof(struct sockfs_accept), "", "", 0, 0},
	[OP_RET_NUMBER] = {sizeof(__s32), "", "", 0, 0},
	[OP_RET_INFO] = {sizeof(struct sockfs_info), "", "", 0, 0},
};

const char *const op_hows[] = {
	[SHUT_RD] = "rd", [SHUT_WR] = "wr", [SHUT_RDWR] = "rdwr", [SHUT_RDWR + 1] = NULL};

const struct operation *operation_by_cmd(unsigned int cmd)
{
	for (size_t i = 0; i < nr_operations; i++)
		if (operations[i].cmd == cmd)
			return &operations[i];
	return NULL;
}

const struct operation *operation_by_word(const char *word)
{
	for (size_t i = 0; i < nr_operations; i++)
		if (operations[i].word != NULL && strcmp(operations[i].word, word) == 0)
			return &operations[i];
	return NULL;
}

/* [HOST:PORT] [BACKLOG] */
static int parse_listen(struct op_call *call, int argc, char *const *argv)
{
	const struct sockopt backlog = {.kind = SOCKOPT_INT, .min = 0, .max = INT_MAX};
	struct sockfs_sockopt value;
	long n = 0;

	if (argc > 0 && strchr(argv[0], ':') != NULL) {
		int err = addr_parse(argv[0], &call->addr);

		if (err != 0)
			return err;
		call->bind = true;
		argc--;
		argv++;
	}
	if (argc > 1)
		return -EINVAL;
	if (argc == 1 && (sockopt_parse(&backlog, argv[0], &value) != 0 ||
			  sockopt_value(&backlog, &value, &n) != 0))
		return -EINVAL;
	call->number = (__s32)n;
	return 0;
}

/* GROUP [INTERFACE] */
static int parse_group(struct op_call *call, int argc, char *const *argv)
{
	const char *interface = argc > 1 ? argv[1] : "";

	if (strlen(argv[0]) >= sizeof(call->addr.host) ||
	    strlen(interface) >= sizeof(call->addr.port))
		return -EINVAL;
	strcpy(call->addr.host, argv[0]);
	strcpy(call->addr.port, interface);
	return 0;
}

/* [NAME] */
static int parse_name(struct op_call *call, int argc, char *const *argv)
{
	struct sockfs_addr addr = {.host = ""};

	if (argc == 0)
		return 0;
	if (strlen(argv[0]) >= sizeof(addr.host))
		return -EINVAL;
	strcpy(addr.host, argv[0]);
	if (addr_check_name(&addr) != 0)
		return -EINVAL;
	call->addr = addr;
	return 0;
}

static int parse_how(struct op_call *call, const char *word)
{
	for (__s32 how = 0; op_hows[how] != NULL; how++) {
		if (strcmp(word, op_hows[how]) == 0) {
			call->number = how;
			return 0;
		}
	}
	return -EINVAL;
}

/* The option in full, by the operation that takes it so. */
static int make_text(struct op_call *call, unsigned int cmd, const struct sockopt *so,
		     const char *text)
{
	if (strlen(text) >= sizeof(call->text.text))
		return -EINVAL;
	call->op = operation_by_cmd(cmd);
	call->text.level = so->level;
	call->text.name = so->optname;
	strcpy(call->text.text, text);
	return 0;
}

static int parse_option(struct op_call *call, char *const *argv)
{
	const struct sockopt *so = sockopt_by_name(argv[0]);

	/* As setsockopt(2) says of SO_ERROR. */
	if (so == NULL || sockopt_is_readonly(so))
		return -ENOPROTOOPT;
	if (so->kind == SOCKOPT_STRING)
		return argv[1][0] != '\0' ? make_text(call, SOCKFS_IOC_SETTEXT, so, argv[1]) : -EINVAL;
	return sockopt_parse(so, argv[1], &call->opt);
}

static int parse_get_option(struct op_call *call, const char *word)
{
	const struct sockopt *so = sockopt_by_name(word);

	if (so == NULL)
		return -ENOPROTOOPT;
	if (sockopt_is_text(so))
		return make_text(call, SOCKFS_IOC_GETTEXT, so, "");
	call->opt = (struct sockfs_sockopt){
		.level = so->level,
		.name = so->optname,
		.len = sizeof(call->opt.value),
	};
	return 0;
}

int operation_parse(const struct operation *op, int argc, char *const *argv,
		    struct op_call *ret_call)
{
	const struct op_kind *kind = &op_kinds[op->arg];

	if (argc < kind->min || argc > kind->max)
		return -EINVAL;
	memset(ret_call, 0, sizeof(*ret_call));
	ret_call->op = op;
	ret_call->arg = &ret_call->opt;
	switch (op->arg) {
	case OP_ADDR:
		ret_call->arg = &ret_call->addr;
		return addr_parse(argv[0], &ret_call->addr);
	case OP_LISTEN:
		return parse_listen(ret_call, argc, argv);
	case OP_GROUP:
		ret_call->arg = &ret_call->addr;
		return parse_group(ret_call, argc, argv);
	case OP_NAME:
		ret_call->arg = &ret_call->addr;
		return parse_name(ret_call, argc, argv);
	case OP_HOW:
		return parse_how(ret_call, argv[0]);
	case OP_OPTION:
		return parse_option(ret_call, argv);
	case OP_GET_OPTION:
		return parse_get_option(ret_call, argv[0]);
	case OP_RET_ADDR:
		ret_call->arg = &ret_call->addr;
		return 0;
	case OP_NOTHING:
		ret_call->arg = NULL;
		return 0;
	default:
		return 0;
	}
}
