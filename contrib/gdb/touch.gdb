# SPDX-License-Identifier: GPL-2.0-or-later
# Watch a touch become a socket. In one terminal, beside a mount:
#
#	gdb -q -batch -p "$(pgrep -n -x sockfs)" -x contrib/gdb/touch.gdb
#
# and, when it says so, `touch' a new file of the mount in another one. Each step is
# printed with its addresses, then the daemon is let go and serves on. Meanwhile it
# stands still, and so does whoever uses the mount. doc/LESSON.md tells the same in words.
#
# It stops only in functions that are called through a table of operations or from
# another source file: the compiler keeps those as they are, with optimization, too.
set pagination off
set confirm off
set print thread-events off
set breakpoint pending off

# Where the body lies in the object: what container_of() subtracts.
set $body = (unsigned long)&((struct socket_alloc *)0)->vfs_inode

tbreak ll_create
echo waiting for a touch\n
continue
printf "1. ll_create: the request is CREATE, the name is \"%s\"\n", name

tbreak sockfs_create
continue
printf "2. sockfs_create: called by dir->i_op->create of the directory %p\n", dir

tbreak new_inode_pseudo
continue
printf "3. new_inode_pseudo: sock_alloc() asks for an inode of the super block %p\n", sb

tbreak sock_alloc_inode
continue
printf "4. sock_alloc_inode: sb->s_op->alloc_inode takes an object of %lu bytes from \"%s\"\n", sizeof(struct socket_alloc), sock_inode_cachep->name
finish
set $inode = (unsigned long)$
set $object = $inode - $body
printf "   head: &ei->socket    %#lx  (object + 0)\n", (unsigned long)&((struct socket_alloc *)$object)->socket
printf "   body: &ei->vfs_inode %#lx  (object + %lu), which is what it returns\n", $inode, $body

# The family is called with the socket that the daemon has found by itself.
tbreak inet_create
continue
printf "5. inet_create: SOCKET_I(inode) is %#lx - %lu = %#lx\n", $inode, $body, $inode - $body
printf "   the daemon calls it with the socket %#lx: the head of the same object\n", (unsigned long)sock

tbreak d_add
continue
printf "6. d_add: the name \"%s\" points to the inode %#lx: the body of the same object\n", name->name, (unsigned long)inode

tbreak reply_open
continue
printf "7. reply_open: st_ino %lu, node %#lx\n", inode->i_ino, inode->i_nodeid
printf "   ops %s, sk %#lx: the protocol's part comes with the first connect or bind\n", ((struct socket *)$object)->ops->prot->name, (unsigned long)((struct socket *)$object)->sk
detach
