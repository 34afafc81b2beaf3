/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sockfs --check-policy: what a policy file would say, without a mount.
 */
#ifndef CHECK_POLICY_H
#define CHECK_POLICY_H

/*
 * @argv: what stands behind --check-policy, see sockfs(8). The status to exit with, after
 * lines on stdout: 0 the file is in order, and what was asked for is allowed; 1 it is not
 * (a line on stderr if the file or the arguments are bad).
 */
int check_policy(int argc, char **argv);

#endif /* CHECK_POLICY_H */
