/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whom to trust and who to be: certificates and keys, from files in PEM.
 *
 * The system's authorities are read at the start, and anew when a connection begins and their
 * file or folder has changed: whoever has been removed there is not trusted any more. What is
 * in a folder's files is not looked at for that. Files that a request names
 * are opened each time with the rights of who asks, since to name a file must
 * not be a way to read it; what they hold is kept as long as they are the same files,
 * unchanged, and some more have not been asked for.
 */
#ifndef TLS_FILES_H
#define TLS_FILES_H

#include <openssl/ssl.h>

#include "tls/reason.h"
#include "uapi/tls.h"

/* Read the system's authorities (SSL_CERT_FILE and SSL_CERT_DIR name others). 0 or -ENOMEM. */
int files_init(void);
void files_exit(void);

/*
 * Give @ssl what @open (a TLS_MSG_OPEN, checked) asks for: authorities, certificate,
 * key. False, and why: what open(2) says; EINVAL: something else is in the file;
 * ENOKEY: no key is; EKEYREJECTED: they do not fit, or are too weak; EACCES too: another
 * user's files, and we have not the right to become that user.
 */
bool files_apply(SSL *ssl, const struct tls_msg *open, struct reason *r);

#endif /* TLS_FILES_H */
