/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TLS over TCP, with the help of sockfs-tls.
 *
 * A connected file is the end of a stream pair (sk_fd), whose other end the helper has; the
 * descriptor of the TCP connection (sk_net_fd) stays here, too, for addresses, options and RST.
 */
#ifndef NET_TLS_TLS_H
#define NET_TLS_TLS_H

#include <uv.h>

/* Make the protocol known, where the build has one (configure --with-tls). 0 or -errno. */
int tls_init(uv_loop_t *loop);
/* When no socket is left but orphans: the helper ends when it has sent all there is. */
void tls_stop(void);
/* When the loop has let go of everything. 0, or -EBUSY (proto_unregister). */
int tls_exit(void);

#endif /* NET_TLS_TLS_H */
