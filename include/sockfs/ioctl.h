/* SPDX-License-Identifier: MIT */
/*
 * The operations of sockfs as ioctls on the files of a mount.
 *
 * In a sockfs mount every regular file is a socket. read(2) and write(2)
 * move its bytes; everything else that sockets(7) offers is one of the ioctls
 * below, on a descriptor of the file. sockfs(7) describes each of them.
 *
 * This header stands alone, in C and in C++. All structures have a fixed size,
 * no pointers and no implicit padding: they are the same for 32 and 64 bit
 * programs. Reserved fields must be zero; they come back as zero.
 */
#ifndef SOCKFS_IOCTL_H
#define SOCKFS_IOCTL_H

#include <linux/types.h>
#include <sys/ioctl.h>

/* Sizes of the text fields, with their terminating NUL. */
#define SOCKFS_HOST_MAX 256
#define SOCKFS_PORT_MAX 32
#define SOCKFS_NAME_MAX 256
#define SOCKFS_OPTVAL_MAX 64

/*
 * An address as NUL-terminated text. Input: host is a name, an IPv4 or an IPv6
 * address (brackets allowed), or "" or "*" for any address; port is a number
 * or a service name. The host may have a protocol before it ("udp:127.0.0.1"), which the
 * file has from then on; of a UNIX socket it is the whole address ("unix:/run/x",
 * "unix:@name") and port is empty. Output: always numeric, without a protocol but for
 * "unix:"; both empty when there is none.
 */
struct sockfs_addr {
	char host[SOCKFS_HOST_MAX];
	char port[SOCKFS_PORT_MAX];
};

/* What SOCKFS_IOC_ACCEPT gives: the peer, and the new file beside the listener. */
struct sockfs_accept {
	struct sockfs_addr peer;
	__u64 ino;		    /* st_ino of the new file */
	char name[SOCKFS_NAME_MAX]; /* its name, in the listener's directory */
};

/*
 * One option. level and name are those of setsockopt(2) (SOL_SOCKET and
 * SO_KEEPALIVE, IPPROTO_TCP and TCP_NODELAY, ...), or SOL_SOCKFS and one of
 * the SOCKFS_SO_ numbers below. len counts the bytes of value in use.
 */
struct sockfs_sockopt {
	__s32 level;
	__s32 name;
	__u32 len;
	__u8 value[SOCKFS_OPTVAL_MAX];
};

#define SOCKFS_TEXT_MAX 1024 /* bytes of a text, with its NUL */

/* An option that is text, whole: of struct sockfs_sockopt it has 64 bytes at most. */
struct sockfs_text {
	__s32 level;
	__s32 name;
	char text[SOCKFS_TEXT_MAX];
};

/* Options of sockfs itself. The first ones are an __s32 in seconds, 0 for none. */
#define SOL_SOCKFS 0x5346
#define SOCKFS_SO_CONNECT_TIMEOUT 1 /* a dial that takes longer ends with ETIMEDOUT */
#define SOCKFS_SO_RCVTIMEO 2	    /* a read that waits longer ends with ETIMEDOUT */
#define SOCKFS_SO_SNDTIMEO 3	    /* a write that waits longer ends with ETIMEDOUT */
#define SOCKFS_SO_REAP 4	    /* listeners: remove finished accepted files after this */
/*
 * Others. PROTO is text without a NUL, of len bytes: "udp". It can be set while a file
 * has no address. FROM is text that can only be read: the address that the last datagram
 * came from. The rest are __s32.
 */
#define SOCKFS_SO_PROTO 5
#define SOCKFS_SO_MESSAGE 6 /* the rest of a datagram that was read in part: SOCKFS_MESSAGE_ */
#define SOCKFS_SO_HEADERS 7 /* an address before each datagram: SOCKFS_HEADERS_ */
#define SOCKFS_SO_FROM 8
#define SOCKFS_SO_DROPS 9  /* only read: datagrams that were lost here for want of room */
#define SOCKFS_SO_EMPTY 10 /* only read: datagrams without a byte that were skipped */
/*
 * Of TLS. VERIFY (0, 1) and EOF (0 strict, 1 lax) are __s32. NAME, CA, CERT, KEY (whole
 * paths) and ALPN are text without a NUL; "-" takes it away. The others are text that can
 * only be read.
 */
#define SOCKFS_SO_TLS_VERIFY 32
#define SOCKFS_SO_TLS_EOF 33
#define SOCKFS_SO_TLS_NAME 34
#define SOCKFS_SO_TLS_CA 35
#define SOCKFS_SO_TLS_CERT 36
#define SOCKFS_SO_TLS_KEY 37
#define SOCKFS_SO_TLS_ALPN 38
#define SOCKFS_SO_TLS 39	     /* version and cipher */
#define SOCKFS_SO_TLS_PEER 40	     /* subject of the peer's certificate */
#define SOCKFS_SO_TLS_FINGERPRINT 41 /* its SHA-256 */
#define SOCKFS_SO_TLS_EXPIRES 42
#define SOCKFS_SO_TLS_ERROR 43	     /* why it failed, in words */

enum { SOCKFS_MESSAGE_KEEP = 0, SOCKFS_MESSAGE_DISCARD = 1 };
enum { SOCKFS_HEADERS_OFF = 0, SOCKFS_HEADERS_TEXT = 1, SOCKFS_HEADERS_PLAN9 = 2 };

/* States, as SOCKFS_IOC_INFO reports them (linux/net.h has the first five words). */
enum sockfs_state {
	SOCKFS_UNCONNECTED = 1,
	SOCKFS_CONNECTING = 2,
	SOCKFS_CONNECTED = 3,
	SOCKFS_LISTENING = 4,
	SOCKFS_DISCONNECTING = 5,
	SOCKFS_CLOSED = 6
};

/* All that is known of one socket. */
struct sockfs_info {
	__u32 state;	/* enum sockfs_state */
	__s32 error;	/* the last error, an errno value, 0 for none */
	__u32 recvq;	/* bytes that a read would find; a listener's waiting connections */
	__u32 sendq;	/* bytes the peer has not acknowledged yet */
	__u64 rx_bytes; /* bytes read through the file so far */
	__u64 tx_bytes; /* bytes written */
	__u64 accepted; /* connections that this listener handed out */
	__u64 ino;	/* st_ino of the file */
	__u64 sk_ino;	/* inode number of the kernel's socket, 0 while there is none */
	struct sockfs_addr local;
	struct sockfs_addr remote;
	char proto[16];	/* "tcp", "udp", ... */
	__u64 flags;	/* SOCKFS_INFO_ bits */
	__u64 reserved[7];
};

/* The error is of looking the host up: EHOSTUNREACH says that no name server answers. */
#define SOCKFS_INFO_LOOKUP 1

#define SOCKFS_IOC_MAGIC 0xB5

/* Changing the socket: the descriptor must be open for writing, else EBADF. */
#define SOCKFS_IOC_CONNECT _IOW(SOCKFS_IOC_MAGIC, 1, struct sockfs_addr)
#define SOCKFS_IOC_BIND _IOW(SOCKFS_IOC_MAGIC, 2, struct sockfs_addr)
#define SOCKFS_IOC_LISTEN _IOW(SOCKFS_IOC_MAGIC, 3, __s32)   /* backlog, 0: default */
#define SOCKFS_IOC_SHUTDOWN _IOW(SOCKFS_IOC_MAGIC, 5, __s32) /* SHUT_RD, SHUT_WR, SHUT_RDWR */
#define SOCKFS_IOC_ABORT _IO(SOCKFS_IOC_MAGIC, 6)
#define SOCKFS_IOC_SETSOCKOPT _IOW(SOCKFS_IOC_MAGIC, 9, struct sockfs_sockopt)

/* One of the texts that can be set; "-" takes it away. */
#define SOCKFS_IOC_SETTEXT _IOW(SOCKFS_IOC_MAGIC, 18, struct sockfs_text)

/* Multicast: host is the group, a number; port the interface, "" for the kernel's choice. */
#define SOCKFS_IOC_JOIN _IOW(SOCKFS_IOC_MAGIC, 14, struct sockfs_addr)
#define SOCKFS_IOC_LEAVE _IOW(SOCKFS_IOC_MAGIC, 15, struct sockfs_addr)
/*
 * STARTTLS: host is whom the peer has to be, "" for the host that was connected to; port is
 * empty. From now on the file speaks TLS; waits until both sides agree.
 */
#define SOCKFS_IOC_TLS _IOW(SOCKFS_IOC_MAGIC, 17, struct sockfs_addr)
/* A datagram without a byte, which no write(2) sends. */
#define SOCKFS_IOC_SENDEMPTY _IO(SOCKFS_IOC_MAGIC, 16)

/* Accept: the descriptor must be open for reading, else EBADF. */
#define SOCKFS_IOC_ACCEPT _IOR(SOCKFS_IOC_MAGIC, 4, struct sockfs_accept)

/* Asking: any descriptor will do. */
#define SOCKFS_IOC_GETSOCKNAME _IOR(SOCKFS_IOC_MAGIC, 7, struct sockfs_addr)
#define SOCKFS_IOC_GETPEERNAME _IOR(SOCKFS_IOC_MAGIC, 8, struct sockfs_addr)
#define SOCKFS_IOC_GETSOCKOPT _IOWR(SOCKFS_IOC_MAGIC, 10, struct sockfs_sockopt)
/* Any option that is text. level and name in; ENODATA: there is none now. */
#define SOCKFS_IOC_GETTEXT _IOWR(SOCKFS_IOC_MAGIC, 19, struct sockfs_text)
#define SOCKFS_IOC_INQ _IOR(SOCKFS_IOC_MAGIC, 11, __s32)
#define SOCKFS_IOC_OUTQ _IOR(SOCKFS_IOC_MAGIC, 12, __s32)
#define SOCKFS_IOC_INFO _IOR(SOCKFS_IOC_MAGIC, 13, struct sockfs_info)

#endif /* SOCKFS_IOCTL_H */
