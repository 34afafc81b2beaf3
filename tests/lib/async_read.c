/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * async_read aio|uring FILE: copies FILE to stdout by asynchronous reads, one after
 * the other, each at the place that the file has got to.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <linux/io_uring.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ENTRIES 4

static char buf[65536];

static void fail(const char *what)
{
	fprintf(stderr, "async_read: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* ------------------------------------------------------------------ io_submit(2) */

static aio_context_t aio;

static void aio_begin(void)
{
	if (syscall(SYS_io_setup, ENTRIES, &aio) != 0)
		fail("io_setup");
}

static ssize_t aio_do_read(int fd, uint64_t offset)
{
	struct iocb cb = {
		.aio_fildes = (uint32_t)fd,
		.aio_lio_opcode = IOCB_CMD_PREAD,
		.aio_buf = (uintptr_t)buf,
		.aio_nbytes = sizeof(buf),
		.aio_offset = (int64_t)offset,
	};
	struct iocb *cbs = &cb;
	struct io_event event;

	if (syscall(SYS_io_submit, aio, 1, &cbs) != 1)
		fail("io_submit");
	if (syscall(SYS_io_getevents, aio, 1, 1, &event, NULL) != 1)
		fail("io_getevents");
	return (ssize_t)event.res;
}

/* -------------------------------------------------------------------- io_uring(7) */

static struct io_uring_params params;
static int ring;
static char *sq, *cq;
static struct io_uring_sqe *sqes;

static uint32_t *word(char *base, uint32_t offset)
{
	return (uint32_t *)(void *)(base + offset);
}

static void *ring_map(size_t size, off_t offset)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, ring, offset);

	if (p == MAP_FAILED)
		fail("mmap");
	return p;
}

static void uring_begin(void)
{
	ring = (int)syscall(SYS_io_uring_setup, ENTRIES, &params);
	if (ring < 0)
		fail("io_uring_setup");
	sq = ring_map(params.sq_off.array + params.sq_entries * sizeof(uint32_t),
		      IORING_OFF_SQ_RING);
	cq = ring_map(params.cq_off.cqes + params.cq_entries * sizeof(struct io_uring_cqe),
		      IORING_OFF_CQ_RING);
	sqes = ring_map(params.sq_entries * sizeof(*sqes), IORING_OFF_SQES);
}

static ssize_t uring_read(int fd, uint64_t offset)
{
	uint32_t *tail = word(sq, params.sq_off.tail), *head = word(cq, params.cq_off.head);
	uint32_t i = *tail & *word(sq, params.sq_off.ring_mask);
	const struct io_uring_cqe *cqe = (void *)(cq + params.cq_off.cqes);
	ssize_t ret;

	sqes[i] = (struct io_uring_sqe){
		.opcode = IORING_OP_READ,
		.fd = fd,
		.addr = (uintptr_t)buf,
		.len = sizeof(buf),
		.off = offset,
	};
	word(sq, params.sq_off.array)[i] = i;
	__atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
	if (syscall(SYS_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) != 1)
		fail("io_uring_enter");
	ret = cqe[*head & *word(cq, params.cq_off.ring_mask)].res;
	__atomic_store_n(head, *head + 1, __ATOMIC_RELEASE);
	return ret;
}

int main(int argc, char **argv)
{
	bool uring = argc == 3 && strcmp(argv[1], "uring") == 0;
	uint64_t offset = 0;
	ssize_t n;
	int fd;

	if (argc != 3 || (!uring && strcmp(argv[1], "aio") != 0)) {
		fprintf(stderr, "usage: async_read aio|uring FILE\n");
		return 2;
	}
	fd = open(argv[2], O_RDONLY);
	if (fd < 0)
		fail(argv[2]);
	if (uring)
		uring_begin();
	else
		aio_begin();
	/* A stream has no places: each read is its first. */
	bool stream = lseek(fd, 0, SEEK_CUR) < 0;

	while ((n = uring ? uring_read(fd, offset) : aio_do_read(fd, offset)) > 0) {
		if (write(STDOUT_FILENO, buf, (size_t)n) != n)
			fail("write");
		offset += stream ? 0 : (uint64_t)n;
	}
	if (n < 0) {
		errno = (int)-n;
		fail(argv[2]);
	}
	return 0;
}
