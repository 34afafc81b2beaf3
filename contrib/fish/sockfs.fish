# SPDX-License-Identifier: GPL-2.0-or-later
# fish completion for sockfs(8). The options come from the program's own help.

# What may follow -o, behind the last comma: sockfs's own options, and every FUSE file system's.
function __sockfs_mount_options
    set -l given (commandline -ct | string replace -rf '^(.*,).*' '$1')
    set -l own (sockfs --help 2>/dev/null | sed -n '/^Options of sockfs/,/^Options of every/s/^  \([a-z].*\)/\1/p' |
        sed 's/  .*//; s/, /\n/g' | sed 's/=.*/=/')
    for option in $own allow_other allow_root auto_unmount ro noexec
        printf '%s%s\n' "$given" $option
    end
end

complete -c sockfs -f -a '(__fish_complete_directories)'
complete -c sockfs -s f -d 'stay in the foreground'
complete -c sockfs -s d -d 'tell every step on stderr'
complete -c sockfs -s o -x -a '(__sockfs_mount_options)'
complete -c sockfs -s h -l help
complete -c sockfs -s V -l version
complete -c sockfs -l check-policy -r -F -d 'say what a policy file would'
complete -c sockfs -l store -d 'mount, and leave the device with the service manager'
complete -c sockfs -l notify-fd -x -d 'where to tell that the mount answers'
