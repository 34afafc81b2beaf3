#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The manual pages are clean mdoc, and name each option, ioctl and command that there is.
cd "${srcdir:-.}" || exit 99
if ! command -v mandoc >/dev/null && ! command -v groff >/dev/null; then
	echo 'skipped: there is no mandoc and no groff'
	exit 77
fi
failed=0

complain()
{
	printf '%s\n' "$*"
	failed=1
}

for page in doc/*.[1-9]; do
	if command -v mandoc >/dev/null; then
		mandoc -T lint -W warning "$page" || complain "$page: mandoc complains"
	fi
	# These are words of messages, and macros: No and In vanish without a \& in front.
	if grep -nE '^\.[A-Z][a-z] (.* )?(No|In) (such|space|programs|a) ' "$page"; then
		complain "$page: a word of the text is taken for a macro"
	fi
	if command -v groff >/dev/null; then
		said=$(groff -mandoc -ww -Tutf8 -z "$page" 2>&1)
		[ -z "$said" ] || complain "$page: groff complains: $said"
	fi
done

# described PAGE MACRO WORD: is WORD an argument of that macro somewhere?
described()
{
	sed 's/\\//g' "doc/$1" | grep -qE "(^\.| )$2 ([^ ]+ [,|] )*$3( |\$)" ||
		complain "doc/$1 does not describe $3"
}

# described_all PAGE MACRO WORDS: all of these, and there have to be some.
described_all()
{
	[ -n "$3" ] || complain "no $2 found for doc/$1: has the source another form?"
	for word in $3; do
		described "$1" "$2" "$word"
	done
}

# The options of the command line and of -o that are sockfs's own.
options=$(sed -n '/KEY_PASS\|KEY_IGNORE/d; s/^\tFUSE_OPT_KEY("\([^"=]*\)=*",.*/\1/p' src/options.c)
described_all sockfs.8 Fl "$(printf '%s\n' "$options" | sed -n 's/^-//p')"
described_all sockfs.8 Cm "$(printf '%s\n' "$options" | grep -v '^-')"
described_all sockfs.7 Dv "$(sed -n 's/^#define \(SOCKFS_IOC_[A-Z]*\) _IO.*/\1/p' \
	include/sockfs/ioctl.h)"
described_all sockfs.7 Dv "$(sed -n 's/^#define \(SOCKFS_SO_[A-Z_]*\) .*/\1/p' \
	include/sockfs/ioctl.h)"
described_all sockctl.1 Cm "$(sed -n 's/^\t{"\([a-z_]*\)", SOCKOPT_.*/\1/p' src/uapi/sockopt.c)"
# The rows of the table of operations: OP(name, NR, "word", NEED, ARG, FLAGS, ...
operations=$(sed -n 's/^\tOP(\([a-z]*, .*\)/\1/p' src/uapi/operation.h)
[ "$(printf '%s\n' "$operations" | cut -d, -f2 | tr -d ' ' | sort)" = \
	"$(sed -n 's/^#define SOCKFS_IOC_\([A-Z]*\) _IO.*/\1/p' include/sockfs/ioctl.h | sort)" ] ||
	complain 'src/uapi/operation.h and include/sockfs/ioctl.h have not the same operations'
described_all sockctl.1 Cm "$(printf '%s\n' "$operations" | sed -n 's/^[^"]*, "\([a-z-]*\)",.*/\1/p')"
described_all sockctl.1 Cm "$(sed -n 's/^\t{"\([a-z]*\)", cmd_.*/\1/p' src/sockctl/sockctl.c)"
described_all sockfs.7 Cm "$(printf '%s\n' "$operations" |
	sed -n 's/^[^"]*, "\([a-z-]*\)",.* OP_TEXT.*/\1/p')"
described_all sockfs.7 Cm "$(sed -n 's/^\t\[SOCKFS_.* = "\([a-z]*\)",\( .*\)*$/\1/p' src/uapi/state.c)"
# The words of policy files.
described_all sockfs.policy.5 Cm "$(sed -n 's/^\t{"\([a-z]*\)", .*parse_[a-z]*},$/\1/p' src/policy/parse.c)"
described_all sockfs.policy.5 Cm 'allow deny connect listen log any private'
described_all sockfs.policy.5 Cm "$(sed -n 's/.*words\[\] = {\(.*\)};$/\1/p' src/policy/rules.c | tr -d '",')"
exit $failed
