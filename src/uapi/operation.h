/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The one table of operations on a socket. ioctl(2), the lines of a control file
 * and the commands of sockctl all read it, and so do the completion of shells and
 * the lint of the manual.
 *
 * A new operation is a number in sockfs/ioctl.h, a row here, a function ioc_NAME() in
 * ctl/ioctl.c, and its paragraph in the manual. One with another kind of argument
 * is also a row of op_kinds[].
 */
#ifndef UAPI_OPERATION_H
#define UAPI_OPERATION_H

#include <stdbool.h>
#include <stddef.h>

#include "sockfs/ioctl.h"

/* What it is called with. As words, and as the argument of the ioctl. */
enum op_arg {
	OP_NOTHING,
	OP_ADDR,       /* HOST:PORT; struct sockfs_addr */
	OP_LISTEN,     /* [HOST:PORT] [BACKLOG]; __s32, behind a bind to the address */
	OP_HOW,	       /* rd, wr, rdwr; __s32 of shutdown(2) */
	OP_OPTION,     /* OPTION VALUE; struct sockfs_sockopt */
	OP_GET_OPTION, /* OPTION; struct sockfs_sockopt, which is also the answer */
	OP_SET_TEXT,   /* struct sockfs_text: what operation_parse() makes of the former ... */
	OP_GET_TEXT,   /* ... for an option that is text */
	OP_GROUP,      /* GROUP [INTERFACE]; struct sockfs_addr */
	OP_NAME,       /* [NAME]; struct sockfs_addr without a port */
	/* Without words; what the answer is. */
	OP_RET_ADDR,   /* struct sockfs_addr */
	OP_RET_ACCEPT, /* struct sockfs_accept */
	OP_RET_NUMBER, /* __s32 */
	OP_RET_INFO,   /* struct sockfs_info */
};

/* What the descriptor has to be open for. */
enum op_need { OP_NEED_ANY, OP_NEED_READ, OP_NEED_WRITE };

#define OP_TEXT (1 << 0)  /* it is a line of a control file */
#define OP_WAITS (1 << 1) /* it may have to wait, so only a socket's own descriptor takes it */

/* The help of more than one command. */
#define OP_ADDRESS_HELP                                                                            \
	"HOST:PORT: 127.0.0.1:80, [::1]:80, example.com:http, :80 (any address);\n"                \
	"a protocol may stand before it: udp:127.0.0.1:53\n"

/*
 * The rows, in the order of a socket's life, in which help prints them:
 *
 *   name   also ioc_NAME(), and what .proc/waiting calls it
 *   NR     of SOCKFS_IOC_NR
 *   word   the line and the command; NULL: by ioctl only
 *   need, arg, flags
 *   help   one line
 *   more   lines for the help of this command alone, or NULL
 */
#define OPERATIONS(OP)                                                                            \
	OP(connect, CONNECT, "connect", WRITE, OP_ADDR, OP_TEXT | OP_WAITS, "connect to a host",  \
	   OP_ADDRESS_HELP "Returns when it is connected; Ctrl-C gives up.\n")                    \
	OP(bind, BIND, "bind", WRITE, OP_ADDR, OP_TEXT | OP_WAITS, "choose the local address",    \
	   OP_ADDRESS_HELP "Port 0 is any free port; 'sockctl local FILE' tells which.\n")        \
	OP(listen, LISTEN, "listen", WRITE, OP_LISTEN, OP_TEXT, "wait for connections",           \
	   OP_ADDRESS_HELP                                                                        \
	   "Without it: any address and any free port; 'sockctl local FILE' tells which.\n"       \
	   "-b BACKLOG: how many connections may wait to be accepted.\n")                         \
	OP(accept, ACCEPT, "accept", READ, OP_RET_ACCEPT, OP_WAITS,                               \
	   "take a connection, print the name of its file",                                       \
	   "Waits for one if there is none. Reading the FILE does the same.\n")                   \
	OP(tls, TLS, "tls", WRITE, OP_NAME, OP_TEXT | OP_WAITS,                                    \
	   "speak TLS from now on (STARTTLS)",                                                     \
	   "NAME is whom the peer has to be; without it, the host that was connected to.\n"       \
	   "'sockctl get FILE tls_error' tells why it failed.\n")                                  \
	OP(shutdown, SHUTDOWN, "shutdown", WRITE, OP_HOW, OP_TEXT, "end one or both directions",  \
	   "rd: we read end of file. wr: the peer does, behind all that was written.\n")          \
	OP(abort, ABORT, "abort", WRITE, OP_NOTHING, OP_TEXT, "reset the connection now",         \
	   "Whatever waits on it ends with an error, and what is queued is lost.\n")              \
	OP(getsockname, GETSOCKNAME, "local", ANY, OP_RET_ADDR, 0, "print the local address",     \
	   NULL)                                                                                  \
	OP(getpeername, GETPEERNAME, "peer", ANY, OP_RET_ADDR, 0, "print the peer's address",     \
	   NULL)                                                                                  \
	OP(setsockopt, SETSOCKOPT, "set", WRITE, OP_OPTION, OP_TEXT, "set an option",             \
	   "Values are numbers, or on and off; sockctl(1) has their units.\n")                    \
	OP(getsockopt, GETSOCKOPT, "get", ANY, OP_GET_OPTION, 0, "print an option's value", NULL) \
	OP(settext, SETTEXT, NULL, WRITE, OP_SET_TEXT, 0, NULL, NULL)                              \
	OP(gettext, GETTEXT, NULL, ANY, OP_GET_TEXT, 0, NULL, NULL)                                \
	OP(join, JOIN, "join", WRITE, OP_GROUP, OP_TEXT, "get what is sent to a multicast group", \
	   "udp only, when it is bound. Without INTERFACE the kernel chooses.\n")                 \
	OP(leave, LEAVE, "leave", WRITE, OP_GROUP, OP_TEXT, "leave a multicast group", NULL)       \
	OP(sendempty, SENDEMPTY, "send-empty", WRITE, OP_NOTHING, OP_TEXT,                         \
	   "send a datagram without a byte", NULL)                                                 \
	OP(inq, INQ, NULL, ANY, OP_RET_NUMBER, 0, NULL, NULL)                                     \
	OP(outq, OUTQ, NULL, ANY, OP_RET_NUMBER, 0, NULL, NULL)                                   \
	OP(info, INFO, NULL, ANY, OP_RET_INFO, 0, NULL, NULL)

struct operation {
	const char *name;
	unsigned int cmd; /* SOCKFS_IOC_ */
	const char *word;
	enum op_need need;
	enum op_arg arg;
	unsigned int flags; /* OP_ */
	const char *help, *more;
};

extern const struct operation operations[];
extern const size_t nr_operations;

/* By the number of the ioctl; NULL: there is none. */
const struct operation *operation_by_cmd(unsigned int cmd);
/* By the word that users know; NULL: there is none. */
const struct operation *operation_by_word(const char *word);

/* A kind of argument: op_kinds[op->arg]. */
struct op_kind {
	size_t size;	      /* of the ioctl's argument */
	const char *synopsis; /* the words behind FILE, of the command; NULL: those of op_hows[] */
	const char *opts;     /* for getopt, of the command; "b:": -b is the last word instead */
	int min, max;	      /* words, of the line */
};

extern const struct op_kind op_kinds[];

/* The words of OP_HOW, by the numbers of shutdown(2), and a NULL. */
extern const char *const op_hows[];

/* One call of an operation: whoever makes it owns it, and it points to itself. */
struct op_call {
	const struct operation *op;
	void *arg; /* one of those below, as the ioctl takes it; NULL: it takes none */
	bool bind; /* bind to addr before: OP_LISTEN with an address */
	struct sockfs_addr addr;
	union {
		struct sockfs_sockopt opt;
		struct sockfs_text text;
		struct sockfs_accept accept;
		struct sockfs_info info;
		__s32 number;
	};
};

/*
 * Make *@ret_call of @op and the @argc words behind it; its op is another one where the
 * option is text. 0, -EINVAL (a word is not what
 * it has to be, or there are too few or too many), or -ENOPROTOOPT (no such option, or
 * it cannot be set).
 */
int operation_parse(const struct operation *op, int argc, char *const *argv,
		    struct op_call *ret_call);

#endif /* UAPI_OPERATION_H */
