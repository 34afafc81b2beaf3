/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The commands that are one operation of the table each: connect to get.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sockctl/sockctl.h"
#include "uapi/addr.h"
#include "uapi/operation.h"
#include "uapi/sockopt.h"

/* The words of a call as a message repeats them: an address and a number, an option and a text. */
#define DETAIL_MAX (SOCKFS_TEXT_MAX + 64)

static int bad_value(const struct args *args, const struct sockopt *so, const char *value)
{
	char words[128];

	if (sockopt_is_readonly(so))
		return bad_usage(args, "%s can only be read", so->name);
	switch (so->kind) {
	case SOCKOPT_CHOICE:
		return bad_usage(args, "'%s' is not one of %s", value,
				 join(so->words, ", ", words, sizeof(words)));
	case SOCKOPT_PROTO:
		return bad_usage(args, "'%s' is not a protocol", value);
	case SOCKOPT_STRING:
		return bad_usage(args, "'%s' is longer than %d bytes, or empty", value,
				 SOCKFS_TEXT_MAX - 1);
	case SOCKOPT_BOOL:
		return bad_usage(args, "'%s' is not on or off", value);
	case SOCKOPT_LINGER:
		return bad_usage(args, "'%s' is not a number of seconds or off", value);
	default:
		return bad_usage(args, "'%s' is not a number from %ld to %ld", value, so->min,
				 so->max);
	}
}

/* Are there digits behind the last colon, and too many? */
static bool has_no_port(const char *text)
{
	const char *colon = strrchr(text, ':');

	return colon && colon[1] && !colon[1 + strspn(colon + 1, "0123456789")] &&
	       strtoul(colon + 1, NULL, 10) > UINT16_MAX;
}

static int bad_address(const struct args *args, const char *text)
{
	if (has_no_port(text))
		return bad_usage(args, "'%s': a port is a number from 0 to 65535", text);
	return bad_usage(args, "'%s' is not an address: HOST:PORT, [IPV6]:PORT, :PORT, "
			       "udp:HOST:PORT, tls:HOST:PORT or unix:/PATH", text);
}

/* Say which word the table did not take. */
static int bad_words(const struct args *args, const struct operation *op)
{
	const struct sockopt *so = sockopt_by_name(args->argv[0]);
	char hows[32];

	switch (op->arg) {
	case OP_HOW:
		return bad_usage(args, "'%s' is not one of %s", args->argv[0],
				 join(op_hows, ", ", hows, sizeof(hows)));
	case OP_OPTION:
	case OP_GET_OPTION:
		if (so)
			return bad_value(args, so, args->argv[1]);
		return bad_usage(args, "there is no option '%s'; 'sockctl help %s' lists them",
				 args->argv[0], args->command);
	case OP_NAME:
		return bad_usage(args, "'%s' is not the name of a host", args->argv[0]);
	case OP_GROUP:
		return bad_usage(args, "'%s' is too long", args->argv[args->argc - 1]);
	default:
		return bad_address(args, args->argv[0]);
	}
}

static int parse(const struct args *args, const struct operation *op, struct op_call *ret_call)
{
	int err = operation_parse(op, args->argc, args->argv, ret_call);

	/* The backlog is what -b gives: a word can only be the address. */
	if (!err && op->arg == OP_LISTEN && args->argc && !ret_call->bind)
		err = -EINVAL;
	if (err)
		return bad_words(args, op);
	if (op->arg == OP_LISTEN)
		ret_call->number = args->backlog;
	return EXIT_DONE;
}

static int call_it(int fd, const struct args *args, struct op_call *call)
{
	char text[DETAIL_MAX];
	const char *detail = NULL;
	int status = EXIT_DONE;

	if (args->argc)
		detail = join((const char *const *)args->argv, " ", text, sizeof(text));
	if (call->bind)
		status = socket_ioctl(fd, args->file, SOCKFS_IOC_BIND, &call->addr, args->command,
				      detail);
	if (!status)
		status = socket_ioctl(fd, args->file, call->op->cmd, call->arg, args->command,
				      detail);
	return status;
}

static int print_answer(const struct args *args, const struct op_call *call)
{
	char text[ADDR_TEXT_MAX];

	switch (call->op->arg) {
	case OP_RET_ADDR:
		puts(addr_format(&call->addr, text, sizeof(text)));
		break;
	case OP_RET_ACCEPT:
		printf("%.*s\n", (int)sizeof(call->accept.name), call->accept.name);
		break;
	case OP_GET_OPTION:
		if (sockopt_format(sockopt_by_name(args->argv[0]), &call->opt, text, sizeof(text)) < 0) {
			complain("%s: %s: the answer makes no sense", args->file, args->argv[0]);
			return EXIT_FAILED;
		}
		puts(text);
		break;
	case OP_GET_TEXT:
		printf("%.*s\n", (int)sizeof(call->text.text) - 1, call->text.text);
		break;
	default:
		break;
	}
	return EXIT_DONE;
}

int cmd_operation(const struct args *args)
{
	const struct operation *op = operation_by_word(args->command);
	struct op_call call;
	int fd, status = parse(args, op, &call);

	if (status)
		return status;
	fd = socket_open(args->file, op->need == OP_NEED_WRITE ? O_WRONLY : O_RDONLY,
			 op->need == OP_NEED_ANY);
	if (fd < 0)
		return EXIT_FAILED;
	status = call_it(fd, args, &call);
	close(fd);
	return status ? status : print_answer(args, &call);
}
