/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mkcerts DIR: makes the certificates of certs.h there. */
#include "config.h"

#include <stdio.h>

#include "tests/tls/certs.h"

int main(int argc, char **argv)
{
	if (argc != 2) {
		fputs("usage: mkcerts DIR\n", stderr);
		return 2;
	}
	certs_make(argv[1]);
	return 0;
}
