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
 * Can what lies now where this program came from go on with the ledger as it is, and with how
 * this one was called? It is started and asked (again_asked()), for ten seconds at most. False:
 * no, or it is not there; said in the log. @to_syslog: there it says, too, why.
 */
bool again_ask(bool to_syslog);

/* What again_ask() wants to know. */
struct again_question {
	unsigned int version; /* of the ledger */
	int ledger;	      /* its descriptor */
	bool to_syslog;
};

/*
 * In the program that is asked: is it? `--can-resume=...' in front of all that the mount was
 * called with, so that a program that does not know it refuses; it goes from @argc and @argv.
 */
bool again_asked(int *argc, char ***argv, struct again_question *ret);

/*
 * Become it, once it has said that it can; else this same program, whatever lies there by now:
 * nobody has asked for another. @dev is the device of the mount on @mountpoint, @unmounter leads
 * to who unmounts it (priv/unmounter.h; -1: nobody); they go along as all other descriptors do.
 * Returns -errno when that failed.
 */
int again_exec(int dev, int unmounter, const char *mountpoint);

/* What again_exec() has said. */
struct again {
	int ledger, dev, unmounter;
	const char *mountpoint; /* lives as long as the process */
};

/*
 * In the new program, behind again_init(): was it called so? Takes the words out of the
 * environment.
 */
bool again_resumed(struct again *ret);

#endif /* SUPER_AGAIN_H */
