#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Each step that doc/LESSON.md names, as `net/socket.c: sock_alloc', is a function there.
cd "${srcdir:-.}" || exit 99
failed=0
# shellcheck disable=SC2016  # the quotes of Markdown
steps=$(sed -n 's/^|\( `\\|`\)* `\([a-z_/]*\.[ch]: [A-Za-z_]*\)` |.*/\2/p
	s/.*^`\([a-z_/]*\.[ch]: [A-Za-z_]*\)`, the others.*/\1/p' doc/LESSON.md | sort -u)
# A table whose form has changed must not pass because nothing was found.
# shellcheck disable=SC2016
rows=$(grep -c '^|\( `\\|`\)* `[a-z_/]*\.[ch]: ' doc/LESSON.md)
if [ "$rows" -lt 80 ] || [ "$rows" -ne "$(sed -n '/^| step/,/^$/p' doc/LESSON.md | grep -cvE '^\|( step |---)|^$')" ]; then
	echo "doc/LESSON.md: $rows rows name a file and a function, and others do not"
	failed=1
fi
while IFS= read -r step; do
	file=src/${step%%: *}
	# A definition begins in the first column, and is no prototype.
	if ! grep -E "^[a-z].*\\b${step#*: }\\(" "$file" | grep -qv ';$'; then
		printf 'doc/LESSON.md: there is no %s in %s\n' "${step#*: }" "$file"
		failed=1
	fi
done <<EOT
$steps
EOT
exit $failed
