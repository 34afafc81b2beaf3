# SPDX-License-Identifier: GPL-2.0-or-later
# Draws the .dat files of one run of bench, in the current folder. Each figure has
# three columns: median, smallest, largest.
set terminal svg size 760,420 font "sans-serif,12" background rgb "white"
set datafile missing "NaN"
set grid ytics lc rgb "#dddddd"
set border 3
set tics nomirror
set key outside bottom center horizontal
set errorbars lc rgb "#444444"
set style fill solid 0.85 noborder
set linetype 1 lc rgb "#7f7f7f" lw 1.5
set linetype 2 lc rgb "#d62728" lw 1.5
set linetype 3 lc rgb "#aec7e8" lw 1.5
set linetype 4 lc rgb "#2ca02c" lw 1.5
set linetype 5 lc rgb "#9467bd" lw 1.5
set linetype 6 lc rgb "#000000" lw 1

has(name) = int(system("test -s ".name.".dat; echo $?")) == 0

set style data histograms
set style histogram errorbars gap 1 lw 1
set yrange [0:*]

set ylabel "GB/s"
do for [direction in "read write"] {
	if (!has(direction)) { continue }
	set output direction.".svg"
	set title direction eq "read" ? "One connection: reads, by size" : "One connection: writes, by size"
	plot direction.".dat" using 2:3:4:xtic(1) title "plain socket" lt 1, \
		'' using 5:6:7 title "sockfs" lt 2, \
		'' using 8:9:10 title "FUSE floor" lt 3, \
		'' using 11:12:13 title "socat and a FIFO" lt 4
}

if (has("rtt")) {
	set output "rtt.svg"
	set title "Round trips"
	set ylabel "microseconds"
	set logscale y
	set yrange [1:*]
	plot "rtt.dat" using 2:3:4:xtic(1) title "plain socket" lt 1, \
		'' using 5:6:7 title "sockfs" lt 2, \
		'' using 8:9:10 title "FUSE floor" lt 3, \
		'' using 11:12:13 title "socat and two FIFOs" lt 4
	unset logscale y
	set yrange [0:*]
}

if (has("many")) {
	set output "many.svg"
	set multiplot layout 1,2
	set title "Bulk connections: total"
	set xlabel "connections"
	set ylabel "GB/s"
	plot "many.dat" using 2:3:4:xtic(1) title "plain" lt 1, '' using 5:6:7 title "sockfs" lt 2
	set title "p99 of a small talker beside them"
	set ylabel "microseconds"
	set logscale y
	set yrange [1:*]
	plot "many.dat" using 8:9:10:xtic(1) title "plain" lt 1, '' using 11:12:13 title "sockfs" lt 2
	unset logscale y
	set yrange [0:*]
	unset multiplot
}

if (has("slab") && has("access")) {
	set output "slab.svg"
	set multiplot layout 1,2
	set title "A socket made and freed"
	set xlabel ""
	set ylabel "ns"
	plot "slab.dat" using 2:3:4:xtic(1) title "slab" lt 2, '' using 5:6:7 title "glibc" lt 1, \
		'' using 8:9:10 title "jemalloc" lt 4, '' using 11:12:13 title "mimalloc" lt 5
	set title "Inode, then socket, of a million"
	plot "access.dat" using 2:3:4:xtic(1) notitle lt 2
	unset multiplot
}

if (has("scale")) {
	set output "scale.svg"
	set title "Time of an operation beside many files"
	set xlabel "files in the mount"
	set ylabel "microseconds"
	set logscale x
	set xrange [5:2000000]
	set style data linespoints
	plot "scale.dat" using 1:2 title "create" lt 2 pt 7, '' using 1:5 title "lookup" lt 1 pt 7, \
		'' using 1:8 title "unlink" lt 4 pt 7, '' using 1:11 title "connect" lt 5 pt 7, \
		'' using 1:14 title "poll wake-up" lt 6 pt 7
}
