/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ioctl MOUNT HOST PORT: an HTTP request by open, ioctl, write and read.
 * cc -o ioctl ioctl.c, with <sockfs/ioctl.h> installed.
 */
#include <fcntl.h>
#include <sockfs/ioctl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void die(const char *what)
{
	perror(what);
	exit(1);
}

int main(int argc, char **argv)
{
	struct sockfs_addr addr = {"", ""};
	char path[4096], buf[4096];
	ssize_t n;
	int fd;

	if (argc != 4) {
		fprintf(stderr, "usage: ioctl MOUNT HOST PORT\n");
		return 2;
	}
	snprintf(path, sizeof(path), "%s/ioctl.%ld", argv[1], (long)getpid());
	snprintf(addr.host, sizeof(addr.host), "%s", argv[2]);
	snprintf(addr.port, sizeof(addr.port), "%s", argv[3]);

	fd = open(path, O_RDWR | O_CREAT | O_EXCL, 0600); /* socket(2) */
	if (fd < 0)
		die(path);
	unlink(path); /* the last close is the end of it */
	if (ioctl(fd, SOCKFS_IOC_CONNECT, &addr) < 0)
		die("connect");
	if (ioctl(fd, SOCKFS_IOC_GETPEERNAME, &addr) == 0)
		fprintf(stderr, "connected to %s port %s\n", addr.host, addr.port);

	n = snprintf(buf, sizeof(buf), "GET / HTTP/1.0\r\nHost: %s\r\n\r\n", argv[2]);
	if (write(fd, buf, (size_t)n) != n)
		die("write");
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		fwrite(buf, 1, (size_t)n, stdout);
	if (n < 0)
		die("read");
	return 0;
}
