/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Calls that signals cut short. See streams.c. */
#include "config.h"

#include "tests/stream/streams.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

/* ------------------------------------------------------------------- interrupted */

static void on_alarm(int sig)
{
	(void)sig;
}

void interrupted(void)
{
	static unsigned char buf[4 << 20], got[4 << 20];
	struct itimerval often = {{0, 20000}, {0, 20000}}, never = {{0, 0}, {0, 0}};
	struct sigaction sa = {.sa_handler = on_alarm};
	pthread_t writer;
	ssize_t n;

	sigaction(SIGALRM, &sa, NULL);
	stream_fill(buf, 0, sizeof(buf));
	setitimer(ITIMER_REAL, &often, NULL);
	do /* on a busy machine a signal may come before the first byte goes */
		n = write(end.fd, buf, sizeof(buf));
	while (n < 0 && errno == EINTR);
	setitimer(ITIMER_REAL, &never, NULL);
	if (n <= 0 || n >= (ssize_t)sizeof(buf))
		die("the interrupted write: %zd", n);
	/* What it says went, and then the rest, and no byte else. */
	writer = thread(echo_peer, NULL);
	end_nonblock(&end, true);
	for (size_t done = (size_t)n, read_ = 0; read_ < sizeof(buf);) {
		struct pollfd p = {end.fd, (short)(POLLIN | (done < sizeof(buf) ? POLLOUT : 0)), 0};

		poll(&p, 1, -1);
		if (done < sizeof(buf) && (n = write(end.fd, buf + done, sizeof(buf) - done)) > 0)
			done += (size_t)n;
		if ((n = read(end.fd, got + read_, sizeof(got) - read_)) > 0)
			read_ += (size_t)n;
	}
	if (memcmp(buf, got, sizeof(buf)) != 0)
		die("the stream is not what was written");
	end_shutdown(&end, SHUT_WR);
	join(writer);
}

/* ----------------------------------------------------------------------- signals */

#define STORM (3u << 20)

/* In pieces, so that the reader waits between them. */
static void *trickle(void *arg)
{
	static unsigned char buf[STORM];

	(void)arg;
	stream_fill(buf, 0, STORM);
	for (size_t i = 0; i < STORM; i += 512)
		write_all(end.peer, buf + i, 512);
	return NULL;
}

static void *sip(void *arg)
{
	static unsigned char buf[STORM];

	for (size_t i = 0; i < STORM; i += 4096)
		read_all(end.peer, buf + i, 4096);
	*(bool *)arg = stream_is(buf, 0, STORM);
	return NULL;
}

void signals(void)
{
	static unsigned char buf[STORM];
	struct itimerval often = {{0, 200}, {0, 200}}, never = {{0, 0}, {0, 0}};
	struct sigaction sa = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
	sigset_t set;
	pthread_t peers[2];
	bool whole = false;
	ssize_t n;

	sigaction(SIGALRM, &sa, NULL);
	/* Only this thread hears them. */
	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	peers[0] = thread(trickle, NULL);
	peers[1] = thread(sip, &whole);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	for (size_t done = 0; done < STORM;) {
		n = read(end.fd, buf + done, STORM - done);
		if (n == 0 || (n < 0 && errno != EINTR))
			die("read: %zd", n);
		done += n > 0 ? (size_t)n : 0;
	}
	if (!stream_is(buf, 0, STORM))
		die("the stream that was read is not what was sent");
	for (size_t done = 0; done < STORM;) {
		n = write(end.fd, buf + done, STORM - done);
		if (n == 0 || (n < 0 && errno != EINTR))
			die("write: %zd", n);
		done += n > 0 ? (size_t)n : 0;
	}
	setitimer(ITIMER_REAL, &never, NULL);
	join(peers[0]);
	join(peers[1]);
	if (!whole)
		die("the stream that was written is not what came");
}

/* ------------------------------------------------------------------------ killed */

static void *write_forever(void *arg)
{
	static unsigned char buf[4 << 20];

	(void)arg;
	stream_fill(buf, 0, sizeof(buf));
	write_all(end.fd, buf, sizeof(buf));
	return NULL;
}

/* What a killed writer has sent is the head of its bytes; the next one's come behind. */
static void killed_writer(void)
{
	static unsigned char buf[5 << 20];
	static const char tail[] = "behind it";
	pid_t pid = process(write_forever, NULL);
	size_t n = 0;
	ssize_t got;

	wait_for(is_parked(pid));
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	end_nonblock(&end, true);
	/* The queue is full, until the peer reads. */
	while (write(end.fd, tail, sizeof(tail)) != sizeof(tail))
		if ((got = recv(end.peer, buf + n, sizeof(buf) - n, MSG_DONTWAIT)) > 0)
			n += (size_t)got;
	end_shutdown(&end, SHUT_WR);
	while ((got = read(end.peer, buf + n, sizeof(buf) - n)) > 0)
		n += (size_t)got;
	if (n < sizeof(tail) || memcmp(buf + n - sizeof(tail), tail, sizeof(tail)) != 0 ||
	    !stream_is(buf, 0, n - sizeof(tail)))
		die("a killed writer has left something else than the head of its bytes");
}

static void *read_forever(void *arg)
{
	char buf[64];

	(void)arg;
	for (;;)
		if (read(end.fd, buf, sizeof(buf)) > 0)
			die("a reader got bytes before its end");
	return NULL;
}

void killed(void)
{
	char buf[64] = "", want[64] = "";

	for (int i = 0; i < 20; i++) {
		pid_t pid = process(read_forever, NULL);

		wait_for(is_parked(pid));
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		snprintf(want, sizeof(want), "chunk %d", i);
		write_all(end.peer, want, sizeof(want));
		read_all(end.fd, buf, sizeof(buf));
		if (strcmp(buf, want) != 0)
			die("got '%s', not '%s'", buf, want);
	}
	killed_writer();
}
