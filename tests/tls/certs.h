/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Certificates for tests: one authority, and all that may be wrong with what it signs.
 *
 *	ca.pem		the authority
 *	ca-crl.pem	the same with its list of revoked certificates
 *	other-ca.pem	an authority that has signed nothing of these
 *	good.pem	localhost, 127.0.0.1, ::1, *.wild.test; with its key, as all that follow
 *	other.pem	elsewhere.test
 *	expired.pem, future.pem		over since a day, valid from tomorrow
 *	revoked.pem	on the list
 *	self.pem	signed by itself
 *	weak.pem	an RSA key of 1024 bits
 *	chain.pem	signed by an authority below ca.pem, which follows
 *	disorder.pem	the same, its authority first
 *	orphan.pem	the same without it
 *	client.pem	for a client only
 *	good.crt, good.key, other.key	apart
 *	locked.pem	good.pem, the key with a passphrase
 */
#ifndef TESTS_TLS_CERTS_H
#define TESTS_TLS_CERTS_H

/* Make all of them in @dir, which is there. Ends the program where that fails. */
void certs_make(const char *dir);

#endif /* TESTS_TLS_CERTS_H */
