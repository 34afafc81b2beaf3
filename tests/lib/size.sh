# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
# shellcheck disable=SC2016,SC2154  # commands are evaluated later; functions.sh
# What the groups of tests/size.at do by name; see also functions.sh.

# read_commands: lines that write what is in $f to stdout, each in a way of its own.
read_commands()
{
	cat <<'END'
cat "$f"
cat <"$f" >copy && cat copy
busybox cat "$f" | cat
busybox cat "$f" >copy && cat copy
busybox cp "$f" copy && cat copy
busybox dd if="$f" bs=64k 2>dd.err
busybox head -c 99999999 "$f" | cat
busybox tail -n +1 "$f"
cp "$f" copy && cat copy
cp --reflink=auto --sparse=auto "$f" copy && cat copy
install "$f" copy && cat copy
dd if="$f" bs=64k status=none
head -c 99999999 "$f"
tail -n +1 "$f"
tail -c 99999999 "$f"
split -b 99999999 "$f" copy. && cat copy.aa
gzip -c <"$f" | gzip -dc
perl -MFile::Copy -e 'copy($ARGV[0], "copy") or die $!' "$f" && cat copy
python3 -c 'import shutil, sys; shutil.copyfile(sys.argv[1], "copy")' "$f" && cat copy
python3 -c 'import sys; sys.stdout.buffer.write(open(sys.argv[1], "rb").read())' "$f"
tclsh fcopy "$f"
zsh -c '<"$1"' zsh "$f" | cat
async_read aio "$f" | cat
END
	cat >fcopy <<'END'
fconfigure stdout -translation binary
set f [open [lindex $argv 0] rb]
fcopy $f stdout
END
}

# reads_all FILE EXPECTED: names the commands that read anything else.
reads_all()
{
	local f=$1 command failed=0
	read_commands >commands
	# Where the kernel lets nobody have one, none can lose bytes.
	if async_read uring commands >/dev/null 2>&1; then
		echo 'async_read uring "$f" | cat' >>commands
	fi
	while read -r command; do
		rm -f copy copy.aa
		if eval "$command" </dev/null >got 2>err && cmp -s got "$2"; then continue; fi
		echo "$f: $command: $(wc -c <got) of $(wc -c <"$2") bytes"
		cat err
		failed=1
	done <commands
	return $failed
}
