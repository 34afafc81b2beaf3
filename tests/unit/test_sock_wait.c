/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Requests that wait on a socket: in order, in time, and each ended once,
 * whatever its end does to the others.
 */
#include "config.h"

#include "sock_unit.h"

static struct inode *inode;
static struct socket *sock;
static struct file *file;

/* A request and what became of it. */
struct request {
	struct kiocb kiocb;
	struct file *file; /* its own, closed as it ends */
	char buf[64];
	ssize_t ret;
	unsigned int completed;
	unsigned int rank;	       /* the how-manieth to end */
	void (*then)(struct request *r); /* what its end does besides */
	bool parked;
};

static unsigned int nr_ended;

static void setup(void)
{
	sockets_up();
	nr_ended = 0;
	inode = make_socket(sb.s_root, "f");
	sock = SOCKET_I(inode);
	make_fake(sock, SS_CONNECTED);
	file = alloc_file(inode, 2);
	ck_assert_ptr_nonnull(file);
}

static void teardown(void)
{
	if (file != NULL)
		file_release(file);
	sockets_down();
}

static void on_complete(struct kiocb *kiocb, ssize_t ret)
{
	struct request *r = container_of(kiocb, struct request, kiocb);

	ck_assert(r->parked);
	r->parked = false;
	r->ret = ret;
	r->completed++;
	r->rank = ++nr_ended;
	if (r->then != NULL)
		r->then(r);
	file_release(r->file);
	inode_put_work(inode);
}

/* Start it as fuse/ does: a parked request counts as work on the inode. */
static ssize_t start(struct request *r, size_t size,
		     ssize_t (*op)(struct kiocb *iocb, struct iov_iter *iter))
{
	struct file *own = alloc_file(inode, 2);

	*r = (struct request){.file = own, .kiocb = {.ki_filp = own, .ki_complete = on_complete}};
	iov_iter_ubuf(&r->kiocb.ki_iter, r->buf, size);
	r->ret = op(&r->kiocb, &r->kiocb.ki_iter);
	if (r->ret == -EIOCBQUEUED) {
		r->parked = true;
		inode_get_work(inode);
	} else {
		file_release(own);
	}
	return r->ret;
}

static ssize_t do_fsync(struct kiocb *iocb, struct iov_iter *iter)
{
	(void)iter;
	return sock_fsync(iocb);
}

#define PARKED (-EIOCBQUEUED)

static void check_ended(const struct request *r, ssize_t ret, unsigned int rank)
{
	ck_assert_uint_eq(r->completed, 1);
	ck_assert_int_eq(r->ret, ret);
	ck_assert_uint_eq(r->rank, rank);
}

/* ------------------------------------------------------------- order and progress */

START_TEST(first_come_first_served)
{
	struct request r[4];

	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(start(&r[i], 10, sock_read_iter), PARKED);
	ck_assert_str_eq(fake.asked, "in in in in ");
	fake.data = 24;
	sock_data_ready(sock);
	check_ended(&r[0], 10, 1);
	check_ended(&r[1], 10, 2);
	check_ended(&r[2], 4, 3);
	ck_assert_uint_eq(r[3].completed, 0);
	/* Nobody passes those that wait. */
	fake.data = 5;
	ck_assert_int_eq(start(&r[0], 10, sock_read_iter), PARKED);
	ck_assert_int_eq(fake.data, 5);
	sock_data_ready(sock);
	check_ended(&r[3], 5, 4);
	ck_assert_uint_eq(r[0].completed, 0);
	r[0].kiocb.ki_cancel(&r[0].kiocb, -EINTR);
	check_ended(&r[0], -EINTR, 5);
}
END_TEST

START_TEST(a_write_waits_until_all_is_taken)
{
	struct request a, b;

	fake.room = 3;
	ck_assert_int_eq(start(&a, 10, sock_write_iter), PARKED);
	ck_assert_int_eq(start(&b, 2, sock_write_iter), PARKED);
	fake.room = 4;
	sock_write_space(sock);
	ck_assert_uint_eq(a.completed + b.completed, 0);
	ck_assert_uint_eq(a.kiocb.ki_done, 7);
	fake.room = 4;
	sock_write_space(sock);
	check_ended(&a, 10, 1);
	ck_assert_uint_eq(b.completed, 0);
	/* Cancelled in the middle it says how far it came. */
	b.kiocb.ki_cancel(&b.kiocb, -EINTR);
	check_ended(&b, 1, 2);
}
END_TEST

START_TEST(an_error_behind_bytes_comes_next_time)
{
	struct request a, b;

	fake.room = 3;
	fake.err = -ECONNRESET;
	ck_assert_int_eq(start(&a, 10, sock_write_iter), 3);
	ck_assert_int_eq(fake.sk.sk_err, ECONNRESET);
	fake.err = -EPIPE;
	ck_assert_int_eq(start(&b, 10, sock_write_iter), -ECONNRESET);
	ck_assert_int_eq(start(&b, 10, sock_write_iter), -EPIPE);
	/* EPIPE comes by itself again and again. */
	fake.room = 3;
	ck_assert_int_eq(start(&a, 10, sock_write_iter), 3);
	ck_assert_int_eq(fake.sk.sk_err, 0);
}
END_TEST

START_TEST(the_error_of_a_parked_write)
{
	struct request a, b, c;

	ck_assert_int_eq(start(&a, 10, sock_write_iter), PARKED);
	ck_assert_int_eq(start(&b, 10, sock_write_iter), PARKED);
	fake.room = 12;
	fake.err = -ECONNRESET;
	sock_write_space(sock);
	check_ended(&a, 10, 1);
	/* Two bytes were taken: they count, and the error is the next one's. */
	check_ended(&b, 2, 2);
	ck_assert_int_eq(start(&c, 10, sock_write_iter), -ECONNRESET);
}
END_TEST

START_TEST(nonblocking)
{
	struct request parked, r;

	ck_assert_int_eq(start(&parked, 10, sock_write_iter), PARKED);
	r = (struct request){.kiocb = {.ki_filp = file, .ki_flags = IOCB_NOWAIT}};
	iov_iter_ubuf(&r.kiocb.ki_iter, r.buf, 10);
	fake.room = 4;
	/* Its bytes would pass those that wait. */
	ck_assert_int_eq(sock_write_iter(&r.kiocb, &r.kiocb.ki_iter), -EAGAIN);
	ck_assert_int_eq(fake.room, 4);
	parked.kiocb.ki_cancel(&parked.kiocb, -EINTR);
	ck_assert_int_eq(sock_write_iter(&r.kiocb, &r.kiocb.ki_iter), 4);
	r.kiocb.ki_done = 0;
	ck_assert_int_eq(sock_write_iter(&r.kiocb, &r.kiocb.ki_iter), -EAGAIN);
	ck_assert_int_eq(sock_read_iter(&r.kiocb, &r.kiocb.ki_iter), -EAGAIN);
}
END_TEST

/* ---------------------------------------------------------- what cannot be waited for */

START_TEST(out_of_descriptors)
{
	struct request r;

	fake.wait_err = -EMFILE;
	ck_assert_int_eq(start(&r, 10, sock_read_iter), -EMFILE);
	ck_assert(TAILQ_EMPTY(&fake.sk.sk_read_queue));
	ck_assert_int_eq(start(&r, 10, sock_write_iter), -EMFILE);
	/* What was taken was taken. */
	fake.room = 3;
	ck_assert_int_eq(start(&r, 10, sock_write_iter), 3);
	ck_assert(TAILQ_EMPTY(&fake.sk.sk_write_queue));
	fake.wait_err = 0;
	fake.timer_err = -ENOMEM;
	fake.outq = 1;
	ck_assert_int_eq(start(&r, 0, do_fsync), -ENOMEM);
	fake.sk.sk_rcvtimeo = 1;
	ck_assert_int_eq(start(&r, 10, sock_read_iter), -ENOMEM);
	ck_assert_uint_eq(fake.sk.sk_timer, 0);
	ck_assert(TAILQ_EMPTY(&fake.sk.sk_read_queue));
}
END_TEST

/* Parked while it was connecting: the protocol had nothing to wait on yet. */
START_TEST(a_change_of_state_asks_anew)
{
	struct request r, w, s;

	sock->state = SS_CONNECTING;
	ck_assert_int_eq(start(&r, 10, sock_read_iter), PARKED);
	ck_assert_int_eq(start(&w, 10, sock_write_iter), PARKED);
	ck_assert_int_eq(start(&s, 0, do_fsync), PARKED);
	sock->state = SS_CONNECTED;
	fake.asked[0] = '\0';
	fake.timers = 0;
	fake.sk.sk_timer = 0; /* as after sk_replace without memory for the timer */
	fake.outq = 1;
	fake.room = 4;
	sock_state_change(sock);
	ck_assert_uint_eq(nr_ended, 0);
	ck_assert_str_eq(fake.asked, "in out ");
	ck_assert_uint_eq(fake.timers, 1);
	fake.room = 6;
	sock_write_space(sock);
	check_ended(&w, 10, 1);
	/* Nobody asks for those that are gone. */
	fake.asked[0] = '\0';
	r.kiocb.ki_cancel(&r.kiocb, -EINTR);
	s.kiocb.ki_cancel(&s.kiocb, -EINTR);
	sock_state_change(sock);
	ck_assert_str_eq(fake.asked, "");
	ck_assert_uint_eq(fake.timers, 1);
}
END_TEST

/* ... and if it has nothing now either, nothing would ever wake them. */
START_TEST(a_change_of_state_without_descriptors)
{
	struct request r[2], w[2], s;

	sock->state = SS_CONNECTING;
	fake.outq = 1;
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(start(&r[i], 10, sock_read_iter), PARKED);
		ck_assert_int_eq(start(&w[i], 10, sock_write_iter), PARKED);
	}
	ck_assert_int_eq(start(&s, 0, do_fsync), PARKED);
	sock->state = SS_CONNECTED;
	fake.wait_err = -EMFILE;
	fake.timer_err = -ENOMEM;
	fake.sk.sk_timer = 0;
	fake.room = 4;
	sock_state_change(sock);
	check_ended(&r[0], -EMFILE, 1);
	check_ended(&r[1], -EMFILE, 2);
	/* What was taken was taken. */
	check_ended(&w[0], 4, 3);
	check_ended(&w[1], -EMFILE, 4);
	check_ended(&s, -ENOMEM, 5);
}
END_TEST

/* ------------------------------------------------------------------ time limits */

START_TEST(time_limits)
{
	struct request a, b, c;

	fake.sk.sk_rcvtimeo = 5;
	ck_assert_int_eq(start(&a, 10, sock_read_iter), PARKED);
	ck_assert_uint_eq(fake.timer, 6000);
	fake.now = 2000;
	ck_assert_int_eq(start(&b, 10, sock_read_iter), PARKED);
	/* The timer stays with the one that ends first. */
	ck_assert_uint_eq(fake.timers, 1);
	fake.sk.sk_sndtimeo = 1;
	ck_assert_int_eq(start(&c, 10, sock_write_iter), PARKED);
	ck_assert_uint_eq(fake.timer, 3000);
	sock_timeout(sock, 3000);
	check_ended(&c, -ETIMEDOUT, 1);
	ck_assert_uint_eq(fake.timer, 6000);
	sock_timeout(sock, 6000);
	check_ended(&a, -ETIMEDOUT, 2);
	ck_assert_uint_eq(fake.timer, 7000);
	/* Too early: nothing ends, and the timer is set again. */
	sock_timeout(sock, 6999);
	ck_assert_uint_eq(b.completed, 0);
	ck_assert_uint_eq(fake.timer, 7000);
	sock_timeout(sock, 7000);
	check_ended(&b, -ETIMEDOUT, 3);
	ck_assert_uint_eq(fake.sk.sk_timer, 0);
}
END_TEST

START_TEST(a_write_over_its_time_says_how_far_it_came)
{
	struct request r;

	fake.room = 3;
	fake.sk.sk_sndtimeo = 1;
	ck_assert_int_eq(start(&r, 10, sock_write_iter), PARKED);
	sock_timeout(sock, 2000);
	check_ended(&r, 3, 1);
}
END_TEST

START_TEST(fsync_looks_less_and_less_often)
{
	static const unsigned int waits[] = {1, 2, 4, 8, 16, 32, 32, 32};
	struct request r;

	fake.outq = 100;
	ck_assert_int_eq(start(&r, 0, do_fsync), PARKED);
	for (size_t i = 0; i < ARRAY_SIZE(waits); i++) {
		ck_assert_uint_eq(fake.timer, fake.now + waits[i]);
		fake.now = fake.timer;
		sock_timeout(sock, fake.now);
	}
	fake.outq = 0;
	sock_timeout(sock, fake.now + 32);
	check_ended(&r, 0, 1);
	ck_assert_uint_eq(fake.sk.sk_timer, 0);
	/* The next one begins anew. */
	fake.outq = 1;
	ck_assert_int_eq(start(&r, 0, do_fsync), PARKED);
	ck_assert_uint_eq(fake.timer, fake.now + 1);
	r.kiocb.ki_cancel(&r.kiocb, -EINTR);
}
END_TEST

/* The timer runs for somebody else already: fsync must not ask for it without a pause. */
START_TEST(fsync_beside_a_time_limit)
{
	struct request a, b;

	fake.sk.sk_rcvtimeo = 5;
	fake.outq = 100;
	ck_assert_int_eq(start(&a, 10, sock_read_iter), PARKED);
	ck_assert_int_eq(start(&b, 0, do_fsync), PARKED);
	for (int i = 0; i < 10; i++) {
		ck_assert_uint_gt(fake.timer, fake.now);
		fake.now = fake.timer;
		sock_timeout(sock, fake.now);
	}
	/* 1 + 2 + 4 + ... + 32 + 32 ... */
	ck_assert_uint_ge(fake.now, 1000 + 63 + 4 * 32);
	fake.outq = 0;
	sock_timeout(sock, fake.timer);
	check_ended(&b, 0, 1);
	ck_assert_uint_eq(fake.timer, 6000);
	a.kiocb.ki_cancel(&a.kiocb, -EINTR);
}
END_TEST

/* What will never be acknowledged is not waited for. */
START_TEST(fsync_of_a_connection_that_is_reset)
{
	struct request r;

	fake.outq = 100;
	ck_assert_int_eq(start(&r, 0, do_fsync), PARKED);
	/* The kernel's socket keeps the number of bytes that it has thrown away. */
	fake.events = POLLIN | POLLERR | POLLHUP;
	fake.err = -ECONNRESET;
	sock_timeout(sock, fake.timer);
	check_ended(&r, -ECONNRESET, 1);
}
END_TEST

/* --------------------------------------------------- an end that ends something else */

static void then_remove(struct request *r)
{
	(void)r;
	ck_assert_int_eq(remove_name(sb.s_root, "f"), 0);
	file_release(file);
	file = NULL;
}

/* The first reader's end is the last close of a file without a name: all of it goes. */
START_TEST(the_end_of_the_socket_under_its_waiters)
{
	struct request r[3], w, s;

	fake.outq = 1;
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(start(&r[i], 10, sock_read_iter), PARKED);
	ck_assert_int_eq(start(&w, 10, sock_write_iter), PARKED);
	ck_assert_int_eq(start(&s, 0, do_fsync), PARKED);
	r[0].then = then_remove;
	/* While others wait the socket stays: they count as work. */
	fake.data = 10;
	sock_state_change(sock);
	check_ended(&r[0], 10, 1);
	ck_assert_uint_eq(in_use("sock_inode_cache"), 1);
	r[1].kiocb.ki_cancel(&r[1].kiocb, -EINTR);
	r[2].kiocb.ki_cancel(&r[2].kiocb, -EINTR);
	w.kiocb.ki_cancel(&w.kiocb, -EINTR);
	ck_assert_uint_eq(in_use("sock_inode_cache"), 1);
	s.kiocb.ki_cancel(&s.kiocb, -EINTR);
	ck_assert_uint_eq(in_use("sock_inode_cache"), 0);
}
END_TEST

static struct request *victim;

static void then_cancel(struct request *r)
{
	(void)r;
	victim->kiocb.ki_cancel(&victim->kiocb, -EINTR);
}

START_TEST(an_end_cancels_the_next)
{
	struct request r[3];

	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(start(&r[i], 10, sock_read_iter), PARKED);
	r[0].then = then_cancel;
	victim = &r[1];
	fake.data = 20;
	sock_data_ready(sock);
	check_ended(&r[0], 10, 1);
	check_ended(&r[1], -EINTR, 2);
	check_ended(&r[2], 10, 3);
}
END_TEST

START_TEST(cancel_all)
{
	struct request r, w, s, last;

	fake.outq = 1;
	fake.room = 4;
	ck_assert_int_eq(start(&s, 0, do_fsync), PARKED);
	ck_assert_int_eq(start(&w, 10, sock_write_iter), PARKED);
	ck_assert_int_eq(start(&r, 10, sock_read_iter), PARKED);
	ck_assert_int_eq(start(&last, 10, sock_read_iter), PARKED);
	r.then = then_cancel;
	victim = &last;
	sock_cancel_all(sock, -ECONNABORTED);
	check_ended(&r, -ECONNABORTED, 1);
	check_ended(&last, -EINTR, 2);
	check_ended(&w, 4, 3);
	check_ended(&s, -ECONNABORTED, 4);
}
END_TEST

/* ---------------------------------------------------------------------- pollers */

static unsigned int nr_told;

static void on_notify(struct poll_waiter *waiter)
{
	(void)waiter;
	nr_told++;
}

START_TEST(pollers_are_told_once)
{
	struct file *other = alloc_file(inode, 2);

	nr_told = 0;
	file->f_poll.wake = other->f_poll.wake = on_notify;
	(void)sock_poll(file, false);
	sock_notify(sock);
	ck_assert_uint_eq(nr_told, 0);
	for (int i = 0; i < 3; i++) {
		(void)sock_poll(file, true);
		(void)sock_poll(other, true);
	}
	sock_state_change(sock);
	ck_assert_uint_eq(nr_told, 2);
	sock_notify(sock);
	ck_assert_uint_eq(nr_told, 2);
	(void)sock_poll(other, true);
	file_release(other);
	sock_notify(sock);
	ck_assert_uint_eq(nr_told, 2);
}
END_TEST

START_TEST(pollers_ask_the_protocol)
{
	file->f_poll.wake = on_notify;
	file->f_poll.events = POLLIN | POLLPRI;
	fake.events = POLLOUT;
	ck_assert_uint_eq(sock_poll(file, false), POLLOUT);
	ck_assert_uint_eq(fake.watched, 0);
	ck_assert_uint_eq(sock_poll(file, true), POLLOUT);
	ck_assert_uint_eq(fake.watched, POLLIN | POLLPRI);
	/* It cannot be told: better too much than never. */
	fake.wait_err = -EMFILE;
	ck_assert_uint_eq(sock_poll(file, true), POLLERR);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("sock_wait");
	TCase *tc = tcase_create("sock_wait");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, first_come_first_served);
	tcase_add_test(tc, a_write_waits_until_all_is_taken);
	tcase_add_test(tc, an_error_behind_bytes_comes_next_time);
	tcase_add_test(tc, the_error_of_a_parked_write);
	tcase_add_test(tc, nonblocking);
	tcase_add_test(tc, out_of_descriptors);
	tcase_add_test(tc, a_change_of_state_asks_anew);
	tcase_add_test(tc, a_change_of_state_without_descriptors);
	tcase_add_test(tc, time_limits);
	tcase_add_test(tc, a_write_over_its_time_says_how_far_it_came);
	tcase_add_test(tc, fsync_looks_less_and_less_often);
	tcase_add_test(tc, fsync_beside_a_time_limit);
	tcase_add_test(tc, fsync_of_a_connection_that_is_reset);
	tcase_add_test(tc, the_end_of_the_socket_under_its_waiters);
	tcase_add_test(tc, an_end_cancels_the_next);
	tcase_add_test(tc, cancel_all);
	tcase_add_test(tc, pollers_are_told_once);
	tcase_add_test(tc, pollers_ask_the_protocol);
	suite_add_tcase(s, tc);
	return unit_run(s);
}
