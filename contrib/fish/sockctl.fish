# SPDX-License-Identifier: GPL-2.0-or-later
# fish completion for sockctl(1). The words come from the program's own help.

# The words before the cursor, from the command on; with --fd N an empty one is FILE.
function __sockctl_line
    set -l words (commandline -opc)
    set -e words[1]
    if test "$words[1]" = --fd
        set -q words[2]; or return 1
        set -q words[3]; or return 0
        printf '%s\n' $words[3] '' $words[4..-1]
    else if set -q words[1]
        printf '%s\n' $words
    end
end

# __sockctl_at N [COMMAND...]: is this the Nth word, and of one of these commands?
function __sockctl_at
    set -l words (__sockctl_line); or return 1
    test (count $words) -eq (math $argv[1] - 1); or return 1
    set -q argv[2]; or return 0
    contains -- "$words[1]" $argv[2..-1]
end

function __sockctl_commands
    sockctl help 2>/dev/null | string replace -rf '^  ([a-z-]+) .*?  +(.*)' '$1\t$2'
end

# The words between which the last argument of an operation chooses: rd|wr|rdwr.
function __sockctl_choices
    set -l words (__sockctl_line)
    sockctl help $words[1] 2>/dev/null | head -n 1 |
        string replace -rf '.* ([a-z]+\|[a-z|]*)$' '$1' | string split '|'
end

# Is this the value of one of these options?
function __sockctl_value_of
    set -l words (__sockctl_line)
    test (count $words) -eq 3; and test "$words[1]" = set
    and contains -- "$words[3]" $argv
end

complete -c sockctl -f
complete -c sockctl -n '__sockctl_at 1' -a '(__sockctl_commands)'
complete -c sockctl -n '__sockctl_at 1' -l fd -x -d 'the open descriptor in place of FILE'
complete -c sockctl -n '__sockctl_at 1' -l version
complete -c sockctl -l help
complete -c sockctl -n '__sockctl_at 2 help' -a '(__sockctl_commands)'
complete -c sockctl -n '__sockctl_at 2 ls waiting' -a '(__fish_complete_directories)'
complete -c sockctl -n '__sockctl_at 2; and not __sockctl_at 2 help ls waiting' -F
complete -c sockctl -n '__sockctl_at 3 set get' \
    -a '(set -l w (__sockctl_line); sockctl help $w[1] 2>/dev/null | sed "1,/^Options:/d" | string split -n " ")'
complete -c sockctl -n '__sockctl_value_of nodelay keepalive reuseport broadcast mloop' -a 'on off'
complete -c sockctl -n '__sockctl_value_of headers' -a 'off text plan9'
complete -c sockctl -n '__sockctl_value_of message' -a 'keep discard'
complete -c sockctl -n '__sockctl_value_of proto' -a 'tcp tls udp unix'
complete -c sockctl -n '__sockctl_value_of tls_verify' -a 'yes no'
complete -c sockctl -n '__sockctl_value_of tls_eof' -a 'strict lax'
complete -c sockctl -n '__sockctl_value_of tls_ca tls_cert tls_key' -F
complete -c sockctl -n '__sockctl_at 3 wait' \
    -a '(sockctl help wait 2>/dev/null | string replace -f "STATE: " "" | string split -n ", ")'
complete -c sockctl -n '__sockctl_at 3; and not __sockctl_at 3 set get wait' -a '(__sockctl_choices)'

# Options of single commands.
function __sockctl_is
    set -l words (__sockctl_line); or return 1
    contains -- "$words[1]" $argv
end

complete -c sockctl -n '__sockctl_is ls stat' -l json
complete -c sockctl -n '__sockctl_is ls' -s a -d 'those without a name, too'
complete -c sockctl -n '__sockctl_is ls' -s R -d 'directories below, too'
complete -c sockctl -n '__sockctl_is ls' -s w -d 'again each second'
complete -c sockctl -n '__sockctl_is ls' -l proto -x -a 'tcp tls udp unix' -d 'only those of a protocol'
complete -c sockctl -n '__sockctl_is listen' -s b -x -d 'how many connections may wait'
complete -c sockctl -n '__sockctl_is wait' -s t -x -d 'seconds to wait at most'
