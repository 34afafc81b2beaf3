/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The commands on options, and stat, which prints all of them.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sockctl/sockctl.h"
#include "uapi/info.h"
#include "uapi/sockopt.h"

static int find_option(const struct args *args, const char *name, const struct sockopt **ret_so)
{
	*ret_so = sockopt_by_name(name);
	if (*ret_so)
		return EXIT_DONE;
	return bad_usage(args, "there is no option '%s'; 'sockctl help %s' lists them", name,
			 args->command);
}

static int bad_value(const struct args *args, const struct sockopt *so, const char *value)
{
	switch (so->kind) {
	case SOCKOPT_ERROR:
		return bad_usage(args, "%s can only be read", so->name);
	case SOCKOPT_BOOL:
		return bad_usage(args, "'%s' is not on or off", value);
	case SOCKOPT_LINGER:
		return bad_usage(args, "'%s' is not a number of seconds or off", value);
	default:
		return bad_usage(args, "'%s' is not a number from %ld to %ld", value, so->min,
				 so->max);
	}
}

int cmd_set(const struct args *args)
{
	const char *file = args->file, *value = args->argv[1];
	const struct sockopt *so;
	struct sockfs_sockopt opt;
	char detail[128];
	int fd, status = find_option(args, args->argv[0], &so);

	if (status)
		return status;
	if (sockopt_parse(so, value, &opt))
		return bad_value(args, so, value);
	fd = socket_open(file, O_WRONLY, false);
	if (fd < 0)
		return EXIT_FAILED;
	snprintf(detail, sizeof(detail), "%s %s", so->name, value);
	status = socket_ioctl(fd, file, SOCKFS_IOC_SETSOCKOPT, &opt, args->command, detail);
	close(fd);
	return status;
}

static void ask_for(const struct sockopt *so, struct sockfs_sockopt *ret_opt)
{
	memset(ret_opt, 0, sizeof(*ret_opt));
	ret_opt->level = so->level;
	ret_opt->name = so->optname;
	ret_opt->len = sizeof(ret_opt->value);
}

int cmd_get(const struct args *args)
{
	const char *file = args->file;
	const struct sockopt *so;
	struct sockfs_sockopt opt;
	char text[32];
	int fd, status = find_option(args, args->argv[0], &so);

	if (status)
		return status;
	fd = socket_open(file, O_RDONLY, true);
	if (fd < 0)
		return EXIT_FAILED;
	ask_for(so, &opt);
	status = socket_ioctl(fd, file, SOCKFS_IOC_GETSOCKOPT, &opt, args->command, so->name);
	close(fd);
	if (status)
		return status;
	if (sockopt_format(so, &opt, text, sizeof(text)) < 0) {
		complain("%s: %s: the answer makes no sense", file, so->name);
		return EXIT_FAILED;
	}
	puts(text);
	return EXIT_DONE;
}

static int ask_option(void *arg, struct sockfs_sockopt *opt)
{
	return ioctl(*(int *)arg, SOCKFS_IOC_GETSOCKOPT, opt);
}

/* An option that the socket cannot tell is null: the rest still counts. */
static void print_json_options(int fd)
{
	const char *separator = "";
	struct sockfs_sockopt opt;
	char text[32];
	size_t i;

	for (i = 0; i < nr_sockopts; i++) {
		const struct sockopt *so = &sockopts[i];

		/* To look at an error must not take it from who should get it. */
		if (so->kind == SOCKOPT_ERROR)
			continue;
		ask_for(so, &opt);
		if (ask_option(&fd, &opt) < 0 || sockopt_format(so, &opt, text, sizeof(text)) < 0)
			strcpy(text, "null");
		printf("%s\"%s\":%s", separator, so->name, text);
		separator = ",";
	}
}

int cmd_stat(const struct args *args)
{
	const char *file = args->file;
	char text[INFO_TEXT_MAX];
	struct sockfs_info info;
	int fd = socket_open(file, O_RDONLY, true);
	int status;

	if (fd < 0)
		return EXIT_FAILED;
	memset(&info, 0, sizeof(info));
	status = socket_ioctl(fd, file, SOCKFS_IOC_INFO, &info, args->command, NULL);
	if (!status && args->json) {
		putchar('{');
		json_info(stdout, file, &info);
		fputs(",\"options\":{", stdout);
		print_json_options(fd);
		puts("}}");
	} else if (!status) {
		info_text(&info, state_name(info.state), ask_option, &fd, text);
		fputs(text, stdout);
	}
	close(fd);
	return status;
}
