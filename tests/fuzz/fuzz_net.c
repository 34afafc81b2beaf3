/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Peers of TCP, UDP and UNIX, on this machine, that never block. */
#include "config.h"

#include "fuzz.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define NR_PEERS 6

static int listener = -1, datagrams = -1, local = -1;
static int peers[NR_PEERS] = {-1, -1, -1, -1, -1, -1};

static struct sockaddr_in loopback(unsigned int port)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons((uint16_t)port),
	};
}

static int new_socket(int family, int type)
{
	int fd = socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		abort();
	return fd;
}

const char *net_port(void)
{
	static char text[8];
	struct sockaddr_in sa = loopback(0);
	socklen_t len = sizeof(sa);

	if (listener >= 0)
		return text;
	listener = new_socket(AF_INET, SOCK_STREAM);
	datagrams = new_socket(AF_INET, SOCK_DGRAM);
	if (bind(listener, (struct sockaddr *)&sa, len) != 0 || listen(listener, 16) != 0 ||
	    getsockname(listener, (struct sockaddr *)&sa, &len) != 0 ||
	    bind(datagrams, (struct sockaddr *)&sa, len) != 0)
		abort();
	snprintf(text, sizeof(text), "%u", ntohs(sa.sin_port));
	return text;
}

const char *net_name(void)
{
	static char text[32];
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	size_t len;

	if (local >= 0)
		return text;
	local = new_socket(AF_UNIX, SOCK_STREAM);
	snprintf(text, sizeof(text), "@sockfs-fuzz.%d", (int)getpid());
	len = strlen(text);
	memcpy(sun.sun_path, text, len);
	sun.sun_path[0] = '\0';
	if (bind(local, (struct sockaddr *)&sun, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) != 0 ||
	    listen(local, 16) != 0)
		abort();
	return text;
}

static void drop(int *peer)
{
	if (*peer >= 0)
		close(*peer);
	*peer = -1;
}

static void reset(int *peer)
{
	const struct linger hard = {.l_onoff = 1};

	if (*peer >= 0)
		setsockopt(*peer, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
	drop(peer);
}

static void connect_to(int *peer, int type, unsigned int port)
{
	struct sockaddr_in sa = loopback(port);

	drop(peer);
	*peer = new_socket(AF_INET, type);
	/* Refused or not: both are of interest to the other side only. */
	if (connect(*peer, (struct sockaddr *)&sa, sizeof(sa)) != 0)
		return;
}

/* What the datagram socket got goes back to who has sent it, cut to @len bytes. */
static void answer_datagram(size_t len)
{
	char bytes[256];
	struct sockaddr_in from;
	socklen_t from_len = sizeof(from);

	if (recvfrom(datagrams, bytes, sizeof(bytes), 0, (struct sockaddr *)&from, &from_len) >= 0)
		(void)!sendto(datagrams, bytes, len, 0, (struct sockaddr *)&from, from_len);
}

static void move_bytes(int peer, uint8_t arg, int out)
{
	static char bytes[255 * 1024];
	size_t n = arg < 128 ? arg : (size_t)(arg - 127) * 1024;

	if (peer < 0)
		return;
	if (out)
		(void)!send(peer, bytes, n, MSG_NOSIGNAL);
	else
		(void)!recv(peer, bytes, n, 0);
}

void net_step(uint8_t action, uint8_t arg, unsigned int port)
{
	int *peer = &peers[arg % NR_PEERS];

	switch (action % 12) {
	case 0:
	case 1:
	case 8:
		drop(peer);
		*peer = accept4(action % 12 == 8 && local >= 0 ? local : listener, NULL, NULL,
				SOCK_CLOEXEC | SOCK_NONBLOCK);
		break;
	case 2:
	case 9:
		if (port != 0)
			connect_to(peer, action % 12 == 9 ? SOCK_DGRAM : SOCK_STREAM, port);
		break;
	case 10:
	case 11:
		answer_datagram(arg);
		break;
	case 3:
		move_bytes(*peer, arg, 1);
		break;
	case 4:
		move_bytes(*peer, arg, 0);
		break;
	case 5:
		if (*peer >= 0)
			shutdown(*peer, SHUT_WR);
		break;
	case 6:
		drop(peer);
		break;
	default:
		reset(peer);
	}
}

void net_close(void)
{
	int fd;

	for (int i = 0; i < NR_PEERS; i++)
		reset(&peers[i]);
	while ((fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) >= 0)
		reset(&fd);
	while (local >= 0 && (fd = accept4(local, NULL, NULL, SOCK_CLOEXEC)) >= 0)
		reset(&fd);
	while (recv(datagrams, &(char){0}, 1, 0) >= 0)
		;
}
