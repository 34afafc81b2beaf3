#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# session.sh PORT DIR: the picture at the top of README.md, on standard output. The commands
# below are run in a new mount on DIR, and what comes is drawn under them; PORT of 127.0.0.1
# has a web server. sockfs and sockctl are those of PATH. A group of the suite runs it and
# compares; so doc/session.svg is what it prints there.
set -eu
[ $# -eq 2 ] || { echo "usage: $0 PORT DIR" >&2; exit 2; }
port=$1 dir=$2

# What the reader sees. The port is 80 for him, and the mount on /mnt/net.
commands()
{
	cat <<'EOF'
sockfs /mnt/net
cd /mnt/net
touch web
echo 'connect 127.0.0.1:80' > .ctl/web
sockctl ls
printf 'GET / HTTP/1.0\r\n\r\n' > web
sed -u 1q web
rm web

touch srv
echo 'listen 127.0.0.1:0' > .ctl/srv
address=$(sed -n 's/^local //p' .ctl/srv)
exec 3<> tcp/${address%:*}/${address#*:}
read -r caller < srv
echo "hello, $caller" > $caller
read -r line <&3; echo "$line"
cat tcp/127.0.0.1/9
EOF
}

# Each of them as typed, and what it says, in this shell: 3 is open in the next one, too.
session()
{
	while IFS= read -r typed; do
		if [ -z "$typed" ]; then echo; continue; fi
		printf '$ %s\n' "$typed"
		real=$(printf '%s\n' "$typed" | sed "s|/mnt/net|$dir|; s|127.0.0.1:80|127.0.0.1:$port|")
		eval "$real" 2>&1 </dev/null || :
	done
}

# The port of a client is the kernel's choice.
as_read()
{
	tr -d '\r' | sed "s|$dir|/mnt/net|g; s|127.0.0.1:$port|127.0.0.1:80|
		s|127\.0\.0\.1:[0-9]\{5\}|127.0.0.1:50312|"
}

draw()
{
	awk '
	function text(s) { gsub(/&/, "\\&amp;", s); gsub(/</, "\\&lt;", s); gsub(/>/, "\\&gt;", s); return s }
	{ line[NR] = $0 }
	END {
		print "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"680\" height=\"" NR * 19 + 24 "\""
		print " font-family=\"ui-monospace, Menlo, Consolas, monospace\" font-size=\"14\" xml:space=\"preserve\">"
		print "<!-- SPDX-License-Identifier: GPL-2.0-or-later; made by doc/session.sh -->"
		print "<rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"#16181d\"/>"
		for (i = 1; i <= NR; i++) {
			if (line[i] == "") continue
			colour = line[i] ~ /^\$ / ? "#ffffff" : "#9ccf8f"
			print "<text x=\"16\" y=\"" i * 19 + 10 "\" fill=\"" colour "\">" text(line[i]) "</text>"
		}
		print "</svg>"
	}'
}

here=$(pwd)
commands >"$dir.commands"
session <"$dir.commands" >"$dir.said"
exec 3>&-
cd "$here"
umount "$dir" 2>/dev/null || fusermount3 -u "$dir"
as_read <"$dir.said" | draw
rm -f "$dir.commands" "$dir.said"
