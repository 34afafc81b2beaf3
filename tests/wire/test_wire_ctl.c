/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Control files: every way in which a write to one ends.
 */
#include "config.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/unit.h"
#include "wire_ctl.h"
#include "wire_net.h"

#define ROOT FUSE_ROOT_ID

static struct wire *w;
static uint64_t ctl;

static void setup(void)
{
	struct fuse_entry_out e;

	w = wire_new();
	ck_assert_ptr_nonnull(w);
	ck_assert_int_eq(wire_lookup(w, ROOT, ".ctl", &e), 0);
	ctl = e.nodeid;
}

static void teardown(void)
{
	ck_assert_int_eq(wire_free(w), 0);
}

static int answer(uint64_t unique)
{
	return wire_answer(w, unique, NULL, 0, NULL);
}

static int listener(int backlog, char *ret_port)
{
	struct sockaddr_in sa = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(sa);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(bind(fd, (void *)&sa, sizeof(sa)), 0);
	ck_assert_int_eq(listen(fd, backlog), 0);
	ck_assert_int_eq(getsockname(fd, (void *)&sa, &len), 0);
	sprintf(ret_port, "%u", ntohs(sa.sin_port));
	return fd;
}

/* A listener whose queue is full: a dial of it hangs. The filler closes with the listener. */
static int full_listener(char *ret_port, int *ret_filler)
{
	int fd = listener(0, ret_port);
	struct sockaddr_in sa;
	socklen_t len = sizeof(sa);

	ck_assert_int_eq(getsockname(fd, (void *)&sa, &len), 0);
	*ret_filler = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(connect(*ret_filler, (void *)&sa, sizeof(sa)), 0);
	return fd;
}

/* Of a listener whose queue is full, "connect 127.0.0.1:PORT" and what follows it. */
struct hanging {
	int fd, filler;
	char text[200];
};

static struct hanging make_hanging(const char *before, const char *behind)
{
	struct hanging h;
	char port[8];

	h.fd = full_listener(port, &h.filler);
	sprintf(h.text, "%sconnect 127.0.0.1:%s\n%s", before, port, behind);
	return h;
}

static void close_hanging(struct hanging *h)
{
	close(h->filler);
	close(h->fd);
}

/* ---------------------------------------------------------------- writes that wait */

START_TEST(connect_waits_and_the_lines_run_in_order)
{
	struct ctl_pair p = make_pair(w, ctl, "f");
	char port[8], text[200];
	int fd = listener(5, port);
	uint64_t u;

	sprintf(text, "set ttl 44\nconnect 127.0.0.1:%s\nset tos 8\nshutdown wr\n", port);
	u = start_write(&p, text);
	ck_assert(status_has(&p, "\nttl 44\n"));
	ck_assert_int_eq(wire_wait(w, u, NULL, 0, NULL), 0);
	ck_assert(status_has(&p, "\nstate disconnecting\n"));
	ck_assert(status_has(&p, "\ntos 8\n"));
	ck_assert_int_eq(command(&p, text), -EISCONN);
	close(fd);
}
END_TEST

/* By the path of the control file, and the number of its socket. */
START_TEST(a_command_that_waits_is_told)
{
	struct ctl_pair p = make_pair(w, ctl, "f");
	struct hanging h = make_hanging("", "");
	uint64_t u = start_write(&p, h.text);
	struct fuse_attr attr;
	char line[64];

	ck_assert_int_eq(answer(u), WIRE_OPEN);
	ck_assert_int_eq(wire_getattr(w, p.ino, &attr), 0);
	sprintf(line, " %llu .ctl/f\n", (unsigned long long)attr.ino);
	ck_assert_ptr_nonnull(strstr(read_table(w, "waiting"), line));
	wire_interrupt(w, u);
	ck_assert_int_eq(wire_wait(w, u, NULL, 0, NULL), -EINTR);
	close_hanging(&h);
}
END_TEST

START_TEST(a_signal_ends_the_wait_and_the_write)
{
	struct ctl_pair p = make_pair(w, ctl, "f");
	struct hanging h = make_hanging("set ttl 44\n", "set ttl 45\n");
	struct fuse_poll_out out = {0};
	uint64_t u = start_write(&p, h.text);

	ck_assert_int_eq(answer(u), WIRE_OPEN);
	ck_assert(status_has(&p, "\nstate connecting\n"));
	/* A control file is always ready, whatever it waits for. */
	ck_assert_int_eq(wire_answer(w, wire_poll(w, p.mirror, p.fh, 5), &out, sizeof(out), NULL), 0);
	ck_assert_uint_eq(out.revents & (POLLIN | POLLOUT), POLLIN | POLLOUT);
	wire_interrupt(w, u);
	ck_assert_int_eq(answer(u), -EINTR);
	ck_assert(status_has(&p, "\nstate unconnected\n"));
	ck_assert(status_has(&p, "\nttl 44\n"));
	/* A signal that was there first. */
	w->unique += 2;
	wire_interrupt(w, w->unique);
	{
		struct fuse_write_in in = {.fh = p.fh, .size = (uint32_t)strlen(h.text)};

		wire_send_as(w, w->unique, FUSE_WRITE, p.mirror, &in, sizeof(in), h.text, in.size,
			     true);
	}
	ck_assert_int_eq(answer(w->unique), -EINTR);
	ck_assert_uint_eq(sockfs_session_parked(w->session), 0);
	close_hanging(&h);
}
END_TEST

START_TEST(others_end_it)
{
	struct ctl_pair p = make_pair(w, ctl, "f");
	struct hanging h = make_hanging("", "set ttl 45\n");
	uint64_t u = start_write(&p, h.text);

	ck_assert_int_eq(answer(u), WIRE_OPEN);
	ck_assert_int_eq(answer(start_write(&p, h.text)), -EALREADY);
	ck_assert_int_eq(command(&p, "abort\n"), 0);
	ck_assert_int_eq(answer(u), -ECONNABORTED);
	/* Its file is released under it (no kernel does this), and the session stops. */
	u = start_write(&p, h.text);
	ck_assert_int_eq(answer(u), WIRE_OPEN);
	ck_assert_int_eq(wire_release(w, p.mirror, p.fh), 0);
	ck_assert_int_eq(answer(u), -EINTR);
	p = make_pair(w, ctl, "g");
	u = start_write(&p, h.text);
	ck_assert_int_eq(answer(u), WIRE_OPEN);
	wire_stop(w);
	ck_assert_int_eq(answer(u), -ESHUTDOWN);
	close_hanging(&h);
}
END_TEST

START_TEST(nonblock_does_not_wait)
{
	struct ctl_pair p = make_pair(w, ctl, "f");
	struct hanging h = make_hanging("set ttl 44\n", "set ttl 45\n");
	uint64_t u = wire_write(w, p.mirror, p.fh, h.text, (uint32_t)strlen(h.text),
				O_RDWR | O_NONBLOCK);

	/* Where lines take long it comes in one of the next turns. */
	ck_assert_int_eq(wire_wait(w, u, NULL, 0, NULL), -EINPROGRESS);
	ck_assert(status_has(&p, "\nstate connecting\n"));
	ck_assert(status_has(&p, "\nttl 44\n"));
	close_hanging(&h);
}
END_TEST

START_TEST(rm_while_it_waits)
{
	struct ctl_pair p = make_pair(w, ctl, "f");
	struct hanging h = make_hanging("", "set ttl 45\n");
	uint64_t u = start_write(&p, h.text);

	/* The write is work on the socket: it closes behind it, and all is freed. */
	ck_assert_int_eq(answer(u), WIRE_OPEN);
	ck_assert_int_eq(wire_unlink(w, ROOT, "f"), 0);
	wire_forget(w, p.ino, 1000);
	wire_forget(w, p.mirror, 1000);
	ck_assert_uint_eq(w->sb.s_nr_sockets, 1);
	wire_interrupt(w, u);
	ck_assert_int_eq(answer(u), -EINTR);
	ck_assert_uint_eq(w->sb.s_nr_sockets, 0);
	ck_assert_int_eq(wire_getattr(w, p.ino, NULL), -ESTALE);
	ck_assert_int_eq(command(&p, "abort\n"), -ESTALE);
	ck_assert_int_eq(wire_release(w, p.mirror, p.fh), 0);
	ck_assert_int_eq(wire_getattr(w, p.mirror, NULL), -ESTALE);
	close_hanging(&h);
}
END_TEST

START_TEST(a_name_is_looked_up_then_bound_then_listened_on)
{
	struct ctl_pair p = make_pair(w, ctl, "f"), q = make_pair(w, ctl, "g");

	ck_assert_int_eq(command(&p, "listen localhost:0 3\nset ttl 44"), 0);
	ck_assert(status_has(&p, "\nstate listening\n"));
	ck_assert(status_has(&p, "\nttl 44\n"));
	/* The bind fails: nothing of the listen is done. */
	ck_assert_int_eq(command(&q, "bind 127.0.0.1:0\n"), 0);
	ck_assert_int_eq(command(&q, "listen localhost:0\n"), -EINVAL);
	ck_assert(status_has(&q, "\nstate unconnected\n"));
	ck_assert_int_eq(command(&q, "bind no-such-host.invalid:0\n"), -EINVAL);
}
END_TEST

/* What a parked write keeps is its own: neither small nor large ones are overwritten. */
static void check_parked_text(size_t blanks)
{
	struct ctl_pair p = make_pair(w, ctl, "f");
	struct hanging h = make_hanging("", "");
	size_t len = strlen(h.text) + blanks;
	char *text = malloc(len + 100);
	char *other = malloc(len + 100);
	struct fuse_write_out out = {0};
	int fd = -1;
	uint64_t u;

	strcpy(text, h.text);
	memset(text + strlen(h.text), '\n', blanks);
	strcpy(text + len, "set ttl 99");
	memset(other, '#', len + 100);
	len += strlen("set ttl 99");
	u = wire_write(w, p.mirror, p.fh, text, (uint32_t)len, O_RDWR);
	memset(text, '#', len);
	ck_assert_int_eq(answer(u), WIRE_OPEN);
	ck_assert_int_eq(answer(wire_write(w, p.mirror, p.fh, other, (uint32_t)len, O_RDWR)),
			 -EINVAL);
	/* Room in the queue: the peer's kernel answers when ours asks again. */
	fd = accept(h.fd, NULL, NULL);
	ck_assert_int_eq(wire_wait(w, u, &out, sizeof(out), NULL), 0);
	ck_assert_uint_eq(out.size, len);
	ck_assert(status_has(&p, "\nttl 99\n"));
	ck_assert(status_has(&p, "\nstate connected\n"));
	close(fd);
	free(text);
	free(other);
	close_hanging(&h);
}

START_TEST(small_text_is_kept)
{
	check_parked_text(10);
}
END_TEST

START_TEST(large_text_is_kept)
{
	check_parked_text(200000);
}
END_TEST

/* ------------------------------------------------------------------------ garbage */

START_TEST(the_end_is_where_reading_ends)
{
	struct ctl_pair p = make_pair(w, ctl, "f");
	int64_t size = wire_size(w, p.mirror, p.fh);
	char buf[4096];

	ck_assert_int_gt(size, 100);
	ck_assert_int_eq(read_at(&p, (uint64_t)size - 1, buf, sizeof(buf)), 1);
	ck_assert_int_eq(buf[0], '\n');
	ck_assert_int_eq(read_at(&p, 0, buf, sizeof(buf)), size);
	ck_assert_int_eq(wire_read_page(w, p.mirror, p.fh, 0), -EINVAL);
	ck_assert_int_eq(wire_unlink(w, ROOT, "f"), 0);
	/* What was read is still there; who has read nothing hears that the socket is gone. */
	ck_assert_int_eq(wire_size(w, p.mirror, p.fh), size);
	p = make_pair(w, ctl, "g");
	ck_assert_int_eq(wire_unlink(w, ROOT, "g"), 0);
	ck_assert_int_eq(wire_size(w, p.mirror, p.fh), -ESTALE);
}
END_TEST

START_TEST(garbage)
{
	static char big[(1 << 20) + 1];
	struct ctl_pair p = make_pair(w, ctl, "f");
	unsigned int seed = 12345;
	char buf[8];

	memset(big, 'x', sizeof(big));
	ck_assert_int_eq(answer(wire_write(w, p.mirror, p.fh, big, 1 << 20, O_RDWR)), -EINVAL);
	memset(big, '\n', sizeof(big));
	ck_assert_int_eq(wire_wait(w, wire_write(w, p.mirror, p.fh, big, 1 << 20, O_RDWR), NULL, 0,
				   NULL),
			 0);
	memset(big, 0, sizeof(big));
	ck_assert_int_eq(answer(wire_write(w, p.mirror, p.fh, big, 1 << 20, O_RDWR)), -EINVAL);
	memset(big, ' ', sizeof(big));
	/* 1151 bytes are a line, 1152 are too many. */
	memcpy(big + 1140, "set tos 8", 9);
	ck_assert_int_eq(answer(wire_write(w, p.mirror, p.fh, big, 1149, O_RDWR)), 0);
	ck_assert_int_eq(answer(wire_write(w, p.mirror, p.fh, big, 1151, O_RDWR)), 0);
	ck_assert_int_eq(answer(wire_write(w, p.mirror, p.fh, big, 1152, O_RDWR)), -EINVAL);
	ck_assert(status_has(&p, "\ntos 8\n"));
	ck_assert_int_eq(answer(wire_write(w, p.mirror, p.fh, "", 0, O_RDWR)), 0);
	for (int i = 0; i < 2000; i++) {
		for (size_t k = 0; k < 64; k++)
			big[k] = (char)((seed = seed * 1103515245u + 12345u) >> 16);
		ck_assert_int_eq(answer(wire_write(w, p.mirror, p.fh, big, 64, O_RDWR)), -EINVAL);
	}
	/* Far behind the end, and at it. */
	ck_assert_int_eq(read_at(&p, 1 << 30, buf, 8), 0);
	ck_assert_int_eq(read_at(&p, INT64_MAX, buf, 8), 0);
	ck_assert_int_eq(wire_ioctl(w, p.mirror, p.fh, SOCKFS_IOC_ABORT, NULL), -ENOTCONN);
	ck_assert(status_has(&p, "\nstate unconnected\n"));
}
END_TEST

START_TEST(what_a_descriptor_is_open_for)
{
	struct ctl_pair p = make_pair(w, ctl, "f");
	struct fuse_open_out ro, wo;

	ck_assert_int_eq(wire_open(w, p.mirror, O_RDONLY, &ro), 0);
	ck_assert_int_eq(wire_open(w, p.mirror, O_WRONLY, &wo), 0);
	ck_assert_int_eq(answer(wire_write(w, p.mirror, ro.fh, "set tos 8", 9, 0)), -EBADF);
	ck_assert_int_eq(answer(wire_write(w, p.mirror, wo.fh, "set tos 8", 9, O_WRONLY)), 0);
	ck_assert_int_eq(answer(wire_read(w, p.mirror, wo.fh, 9, O_WRONLY)), -EBADF);
	ck_assert_int_eq(answer(wire_read(w, p.mirror, ro.fh, 9, 0)), 0);
	/*
	 * A port below 1024 is the superuser's, whichever way he asks. By the number of this
	 * process the caller would have its capabilities.
	 */
	w->uid = 1000;
	w->pid = 0;
	ck_assert_int_eq(command(&p, "bind 127.0.0.1:1023\n"), -EACCES);
	ck_assert_int_eq(command(&p, "listen 127.0.0.1:1023\n"), -EACCES);
}
END_TEST

START_TEST(a_status_without_descriptors)
{
	struct ctl_pair p = make_pair(w, ctl, "f");
	struct rlimit limit, none;

	/* What only a kernel socket could tell is not told; the rest is. */
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none = limit;
	none.rlim_cur = 0;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	ck_assert(status_has(&p, "\nstate unconnected\n"));
	ck_assert(status_has(&p, "\nttl -\n"));
	ck_assert(status_has(&p, "\nreap 0\n"));
	ck_assert_int_eq(command(&p, "bind 127.0.0.1:0\n"), -EMFILE);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	ck_assert(!status_has(&p, "\nttl -\n"));
	ck_assert(status_has(&p, "\nlocal -\n"));
	ck_assert_int_eq(command(&p, "bind 127.0.0.1:0\n"), 0);
}
END_TEST

#define MANY_LINES 20000

/* More lines than fit in a turn, then one that shows in the status. free(3) it. */
static char *many_lines(void)
{
	char *text = malloc(MANY_LINES * 16), *p = text;

	ck_assert_ptr_nonnull(text);
	for (int i = 0; i < MANY_LINES; i++)
		p = stpcpy(p, "set nodelay 1\n");
	strcpy(p, "set linger 7\n");
	return text;
}

/* A socket whose options are the kernel's, so that each line takes a system call. */
static struct ctl_pair make_bound(const char *name)
{
	struct ctl_pair p = make_pair(w, ctl, name);

	ck_assert_int_eq(command(&p, "bind 127.0.0.1:0\n"), 0);
	return p;
}

/* They are written, and right behind somebody asks for something short: both numbers. */
static void write_and_ask(const struct ctl_pair *p, const char *text, uint64_t *ret_write,
			  uint64_t *ret_ask)
{
	struct fuse_getattr_in in = {0};

	w->hold = true;
	*ret_write = start_write(p, text);
	*ret_ask = wire_send(w, FUSE_GETATTR, p->ino, &in, sizeof(in), NULL, 0);
	w->hold = false;
}

START_TEST(many_lines_leave_others_their_turn)
{
	struct ctl_pair p = make_bound("many");
	char *text = many_lines();
	uint64_t write, ask;

	write_and_ask(&p, text, &write, &ask);
	ck_assert_int_eq(wire_wait(w, ask, NULL, 0, NULL), 0);
	ck_assert_int_eq(answer(write), WIRE_OPEN);
	ck_assert(!status_has(&p, "\nlinger 7\n"));
	ck_assert_int_eq(wire_wait(w, write, NULL, 0, NULL), 0);
	ck_assert(status_has(&p, "\nlinger 7\n"));

	/* Nothing but newlines, and a line that fails behind them. */
	memset(text, '\n', MANY_LINES * 14);
	strcpy(text + MANY_LINES * 14 - 4, "bad");
	ck_assert_int_eq(command(&p, text), -EINVAL);
	free(text);
}
END_TEST

START_TEST(how_many_lines_end_between_two_turns)
{
	struct ctl_pair p = make_bound("many");
	char *text = many_lines();
	uint64_t write, ask;

	write_and_ask(&p, text, &write, &ask);
	ck_assert_int_eq(wire_wait(w, ask, NULL, 0, NULL), 0);
	wire_interrupt(w, write);
	ck_assert_int_eq(wire_wait(w, write, NULL, 0, NULL), -EINTR);
	ck_assert(!status_has(&p, "\nlinger 7\n"));

	/* Without a name the socket lives as long as its commands do. */
	write_and_ask(&p, text, &write, &ask);
	ck_assert_int_eq(wire_wait(w, ask, NULL, 0, NULL), 0);
	ck_assert_int_eq(wire_unlink(w, ROOT, "many"), 0);
	ck_assert_int_eq(answer(write), WIRE_OPEN);
	ck_assert_int_eq(wire_wait(w, write, NULL, 0, NULL), 0);

	p = make_bound("stopped");
	write_and_ask(&p, text, &write, &ask);
	ck_assert_int_eq(wire_wait(w, ask, NULL, 0, NULL), 0);
	wire_stop(w);
	ck_assert_int_eq(answer(write), -ESHUTDOWN);
	free(text);
}
END_TEST

static TCase *tests(void)
{
	TCase *t = tcase_create("ctl");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, connect_waits_and_the_lines_run_in_order);
	tcase_add_test(t, a_command_that_waits_is_told);
	tcase_add_test(t, a_signal_ends_the_wait_and_the_write);
	tcase_add_test(t, others_end_it);
	tcase_add_test(t, nonblock_does_not_wait);
	tcase_add_test(t, rm_while_it_waits);
	tcase_add_test(t, a_name_is_looked_up_then_bound_then_listened_on);
	tcase_add_test(t, small_text_is_kept);
	tcase_add_test(t, large_text_is_kept);
	tcase_add_test(t, the_end_is_where_reading_ends);
	tcase_add_test(t, garbage);
	tcase_add_test(t, what_a_descriptor_is_open_for);
	tcase_add_test(t, a_status_without_descriptors);
	tcase_add_test(t, many_lines_leave_others_their_turn);
	tcase_add_test(t, how_many_lines_end_between_two_turns);
	return t;
}

int main(void)
{
	Suite *s = suite_create("wire: control files");

	suite_add_tcase(s, tests());
	return unit_run(s);
}
