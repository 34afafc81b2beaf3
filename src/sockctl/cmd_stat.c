/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * stat: all that is known of a socket, with its options.
 */
#include "config.h"

#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "sockctl/sockctl.h"
#include "uapi/info.h"
#include "uapi/sockopt.h"

static void ask_for(const struct sockopt *so, struct sockfs_sockopt *ret_opt)
{
	memset(ret_opt, 0, sizeof(*ret_opt));
	ret_opt->level = so->level;
	ret_opt->name = so->optname;
	ret_opt->len = sizeof(ret_opt->value);
}

static int ask_option(void *arg, struct sockfs_sockopt *opt)
{
	return ioctl(*(int *)arg, SOCKFS_IOC_GETSOCKOPT, opt);
}

static int ask_text(void *arg, struct sockfs_text *text)
{
	return ioctl(*(int *)arg, SOCKFS_IOC_GETTEXT, text);
}

/* -1: the socket cannot tell. */
static int option_text(int fd, const struct sockopt *so, char *buf, size_t size)
{
	struct sockfs_text text = {.level = so->level, .name = so->optname};
	struct sockfs_sockopt opt;

	if (!sockopt_is_text(so)) {
		ask_for(so, &opt);
		return ask_option(&fd, &opt) < 0 ? -1 : sockopt_format(so, &opt, buf, size);
	}
	if (ask_text(&fd, &text) < 0 || text.text[0] == '\0')
		return -1;
	return snprintf(buf, size, "%.*s", (int)sizeof(text.text) - 1, text.text);
}

/* An option that the socket cannot tell is null: the rest still counts. */
static void print_json_options(int fd, const struct sockfs_info *info)
{
	char proto[sizeof(info->proto) + 1] = "", text[SOCKFS_TEXT_MAX];
	const char *separator = "";
	size_t i;

	memcpy(proto, info->proto, sizeof(info->proto));
	for (i = 0; i < nr_sockopts; i++) {
		const struct sockopt *so = &sockopts[i];
		bool word = so->kind == SOCKOPT_CHOICE || sockopt_is_text(so);

		if (!sockopt_is_listed(so) || !sockopt_taken_by(so, proto))
			continue;
		if (option_text(fd, so, text, sizeof(text)) < 0) {
			strcpy(text, "null");
			word = false;
		}
		printf("%s\"%s\":", separator, so->name);
		if (word)
			json_string(stdout, text);
		else
			fputs(text, stdout);
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
		print_json_options(fd, &info);
		puts("}}");
	} else if (!status) {
		info_text(&info, ask_option, ask_text, &fd, text);
		fputs(text, stdout);
	}
	close(fd);
	return status;
}
