/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The program once more, in the same process: for a new version of it, and for a supervisor
 * that was made by a worker and so has a worker's memory. The process keeps its number and
 * its descriptors; the ledger (journal/ledger.h) says what they are.
 */
#ifndef SUPER_AGAIN_H
#define SUPER_AGAIN_H

#include <stdbool.h>

/*
 * Note how the program was called, and from where, before anything changes the arguments.
 * Out of memory: again_exec() fails with ENOMEM.
 */
void again_init(int argc, char **argv);

/*
 * Can the file that this program came from go on with the ledger as it is? It is started,
 * and asked (again_answer). False: no, or it is not there; said in the log.
 */
bool again_ask(void);
/* The other end: `--can-resume=VERSION'; -1: @arg is something else, else the exit status. */
int again_answer(const char *arg);

/*
 * Become it: @dev is the device of the mount on @mountpoint, @unmounter leads to who unmounts
 * it (priv/unmounter.h; -1: nobody); they go along as all other descriptors do. Returns
 * -errno when that failed.
 */
int again_exec(int dev, int unmounter, const char *mountpoint);

/* What again_exec() has said. */
struct again {
	int ledger, dev, unmounter;
	const char *mountpoint; /* lives as long as the process */
};

/* In the new program: was it called so? Takes the words out of the environment. */
bool again_resumed(struct again *ret);

#endif /* SUPER_AGAIN_H */
