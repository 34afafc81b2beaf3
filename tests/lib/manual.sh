# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
# shellcheck disable=SC2154  # set by Autotest and functions.sh
# The examples of README.md and of the manual pages, to be run. atlocal reads this file too.

# readme_examples: how many there are. A test for each has to be there.
readme_examples()
{
	grep -c '^```console$' "$abs_top_srcdir/README.md"
}

# readme_commands N: what the user types in the Nth.
readme_commands()
{
	awk -v n="$1" '/^```/ { on = /console/ && ++seen == n; next } on && /^\$ /' \
		"$abs_top_srcdir/README.md" | sed 's/^\$ //'
}

# manual_examples PAGE, manual_commands PAGE N: the same for the section EXAMPLES of a page.
manual_examples()
{
	sed -n '/^\.Sh EXAMPLES/,/^\.Sh [^E]/p' "$abs_top_srcdir/doc/$1" | grep -c '^\.Bd -literal'
}

manual_commands()
{
	sed -n '/^\.Sh EXAMPLES/,/^\.Sh [^E]/p' "$abs_top_srcdir/doc/$1" |
		awk -v n="$2" '/^\.Ed/ { on = 0 } on; /^\.Bd -literal/ { on = ++seen == n }' |
		sed 's/\\e/\\/g; s/\\&//g; s/\\-/-/g'
}

# with_ours: our mount and the port of our server in place of those in the text.
# 127.0.0.1:8080 is where one listens: on any free port.
with_ours()
{
	sed "s|/mnt/net|$group_dir/mnt|g
		s/127\.0\.0\.1:8080/127.0.0.1:0/
		s/\(127\.0\.0\.1\|localhost\|example\.com\)\([:/]\)\(80\|http\|6379\|9000\)\>/127.0.0.1\2$port/"
}
