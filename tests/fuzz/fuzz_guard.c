/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a fuzzer may ask of the world. An input can hold any address, and root may run it:
 * so the calls that reach other hosts or make files are refused here, and the ports of this
 * one are not those that others serve, where the kernel lets us have a network of our own.
 */
#include "config.h"

#include "fuzz.h"

#include <ares.h>
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

static void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	if (f == NULL)
		return;
	(void)fputs(text, f);
	fclose(f);
}

/* user_namespaces(7): an ordinary user needs one, in which he stays who he is. */
static bool unshare_network(void)
{
	unsigned int uid = geteuid(), gid = getegid();
	char map[40];

	if (unshare(CLONE_NEWNET) == 0)
		return true;
	if (unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0)
		return false;
	snprintf(map, sizeof(map), "%u %u 1\n", uid, uid);
	write_file("/proc/self/uid_map", map);
	write_file("/proc/self/setgroups", "deny\n");
	snprintf(map, sizeof(map), "%u %u 1\n", gid, gid);
	write_file("/proc/self/gid_map", map);
	return true;
}

/* Before main(), and before there is a thread. */
__attribute__((constructor)) static void own_network(void)
{
	struct ifreq ifr = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	int fd;

	if (!unshare_network())
		return;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	(void)ioctl(fd, SIOCSIFFLAGS, &ifr);
	close(fd);
}

/* The loopback, any address (which is the loopback, to connect to), names without a file. */
static bool is_here(const struct sockaddr *sa, socklen_t len)
{
	const struct sockaddr_in *sin = (const struct sockaddr_in *)sa;
	const struct sockaddr_in6 *sin6 = (const struct sockaddr_in6 *)sa;

	if (sa == NULL || len < sizeof(sa->sa_family) || sa->sa_family == AF_UNSPEC)
		return true;
	if (sa->sa_family == AF_UNIX)
		return len > sizeof(sa->sa_family) && ((const struct sockaddr_un *)sa)->sun_path[0] == '\0';
	if (sa->sa_family == AF_INET)
		return sin->sin_addr.s_addr == 0 || ntohl(sin->sin_addr.s_addr) >> 24 == 127;
	return IN6_IS_ADDR_UNSPECIFIED(&sin6->sin6_addr) || IN6_IS_ADDR_LOOPBACK(&sin6->sin6_addr) ||
	       (IN6_IS_ADDR_V4MAPPED(&sin6->sin6_addr) && sin6->sin6_addr.s6_addr[12] == 127);
}

static int refuse(void)
{
	errno = ENETUNREACH;
	return -1;
}

int connect(int fd, const struct sockaddr *sa, socklen_t len)
{
	return is_here(sa, len) ? (int)syscall(SYS_connect, fd, sa, len) : refuse();
}

int bind(int fd, const struct sockaddr *sa, socklen_t len)
{
	return is_here(sa, len) ? (int)syscall(SYS_bind, fd, sa, len) : refuse();
}

ssize_t sendto(int fd, const void *buf, size_t n, int flags, const struct sockaddr *sa,
	       socklen_t len)
{
	return is_here(sa, len) ? syscall(SYS_sendto, fd, buf, n, flags, sa, len) : refuse();
}

/* There is no helper for TLS. */
int posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
		const posix_spawnattr_t *attr, char *const *argv, char *const *envp)
{
	(void)pid, (void)path, (void)actions, (void)attr, (void)argv, (void)envp;
	return ENOENT;
}

/* There is no resolver. */
int ares_init_options(ares_channel *channel, ares_init_settings *options, int mask)
{
	(void)channel, (void)options, (void)mask;
	return ARES_ENOTINITIALIZED;
}
