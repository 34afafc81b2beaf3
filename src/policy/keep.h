/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rules in force outlive the process that serves: they lie in the ledger
 * (journal/ledger.h). The file does not count there: it may have been changed since, and
 * nobody has said that it is ready.
 */
#ifndef POLICY_KEEP_H
#define POLICY_KEEP_H

struct policy;

/*
 * Write down that @policy holds, before it does. Without a ledger it does nothing. 0, or
 * -ENOMEM, and what was written down before still is.
 */
int policy_keep(const struct policy *policy);
/* The same of those that hold now, where none are written down yet: before anything is served. */
int policy_keep_first(void);

/*
 * In a process that goes on where another has died: put in force what was then; @path is
 * what the file is called. If that cannot be read, nothing is allowed, after a line
 * in the log. Looks nothing up. Comes before restore(), and policy_keep_first() behind
 * that, when texts can be written. 0 or -ENOMEM.
 */
int policy_resume(const char *path);

#endif /* POLICY_KEEP_H */
