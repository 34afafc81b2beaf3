/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The commands that are one operation each: connect to abort, local, peer.
 */
#include "config.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sockctl/sockctl.h"
#include "uapi/addr.h"

static int parse_addr(const struct args *args, const char *text, struct sockfs_addr *ret_addr)
{
	if (addr_parse(text, ret_addr) == 0)
		return EXIT_DONE;
	return bad_usage(args, "'%s' is not an address: HOST:PORT, [IPV6]:PORT or :PORT", text);
}

/* Open the file for one changing ioctl. */
static int change(const struct args *args, unsigned long request, void *arg, const char *detail)
{
	int fd = socket_open(args->file, O_WRONLY, false);
	int status;

	if (fd < 0)
		return EXIT_FAILED;
	status = socket_ioctl(fd, args->file, request, arg, args->command, detail);
	close(fd);
	return status;
}

int cmd_connect(const struct args *args)
{
	struct sockfs_addr addr;
	int status = parse_addr(args, args->argv[0], &addr);

	return status ? status : change(args, SOCKFS_IOC_CONNECT, &addr, args->argv[0]);
}

int cmd_bind(const struct args *args)
{
	struct sockfs_addr addr;
	int status = parse_addr(args, args->argv[0], &addr);

	return status ? status : change(args, SOCKFS_IOC_BIND, &addr, args->argv[0]);
}

int cmd_listen(const struct args *args)
{
	const char *file = args->file, *text = args->argv[0];
	__s32 backlog = args->backlog;
	struct sockfs_addr addr;
	int fd, status = EXIT_DONE;

	if (text)
		status = parse_addr(args, text, &addr);
	if (status)
		return status;
	fd = socket_open(file, O_WRONLY, false);
	if (fd < 0)
		return EXIT_FAILED;
	if (text)
		status = socket_ioctl(fd, file, SOCKFS_IOC_BIND, &addr, args->command, text);
	if (!status)
		status = socket_ioctl(fd, file, SOCKFS_IOC_LISTEN, &backlog, args->command, text);
	close(fd);
	return status;
}

int cmd_accept(const struct args *args)
{
	struct sockfs_accept acc;
	int fd = socket_open(args->file, O_RDONLY, false);
	int status;

	if (fd < 0)
		return EXIT_FAILED;
	memset(&acc, 0, sizeof(acc));
	status = socket_ioctl(fd, args->file, SOCKFS_IOC_ACCEPT, &acc, args->command, NULL);
	if (!status)
		printf("%.*s\n", (int)sizeof(acc.name), acc.name);
	close(fd);
	return status;
}

int cmd_shutdown(const struct args *args)
{
	static const char *const words[] = {[SHUT_RD] = "rd", [SHUT_WR] = "wr", [SHUT_RDWR] = "rdwr"};
	__s32 how;

	for (how = SHUT_RD; how <= SHUT_RDWR; how++)
		if (strcmp(args->argv[0], words[how]) == 0)
			return change(args, SOCKFS_IOC_SHUTDOWN, &how, args->argv[0]);
	return bad_usage(args, "'%s' is not one of rd, wr, rdwr", args->argv[0]);
}

int cmd_abort(const struct args *args)
{
	return change(args, SOCKFS_IOC_ABORT, NULL, NULL);
}

static int print_name(const struct args *args, unsigned long request)
{
	char text[ADDR_TEXT_MAX];
	struct sockfs_addr addr;
	int fd = socket_open(args->file, O_RDONLY, true);
	int status;

	if (fd < 0)
		return EXIT_FAILED;
	memset(&addr, 0, sizeof(addr));
	status = socket_ioctl(fd, args->file, request, &addr, args->command, NULL);
	if (!status)
		puts(addr_format(&addr, text, sizeof(text)));
	close(fd);
	return status;
}

int cmd_local(const struct args *args)
{
	return print_name(args, SOCKFS_IOC_GETSOCKNAME);
}

int cmd_peer(const struct args *args)
{
	return print_name(args, SOCKFS_IOC_GETPEERNAME);
}
