# SPDX-License-Identifier: GPL-2.0-or-later
# Compiler and linker flags that are used where they work.

# SOCKFS_CFLAG(VARIABLE, FLAG)
# Appends FLAG to the make variable VARIABLE when the compiler takes it in
# silence: clang only warns of a warning it does not know, hence -Werror.
AC_DEFUN([SOCKFS_CFLAG], [
AS_VAR_PUSHDEF([cache], [sockfs_cv_cflag_$2])
AC_CACHE_CHECK([whether $CC takes $2], [cache], [
  sockfs_saved_CFLAGS=$CFLAGS
  CFLAGS="$CFLAGS -Werror $2"
  AC_COMPILE_IFELSE([AC_LANG_PROGRAM()],
    [AS_VAR_SET([cache], [yes])], [AS_VAR_SET([cache], [no])])
  CFLAGS=$sockfs_saved_CFLAGS])
AS_VAR_IF([cache], [yes], [AS_VAR_APPEND([$1], [" $2"])])
AS_VAR_POPDEF([cache])
])

# SOCKFS_LDFLAG(VARIABLE, FLAG, [COMPILER-FLAGS])
# The same for the linker.
AC_DEFUN([SOCKFS_LDFLAG], [
AS_VAR_PUSHDEF([cache], [sockfs_cv_ldflag_$2])
AC_CACHE_CHECK([whether $CC links with $2], [cache], [
  sockfs_saved_CFLAGS=$CFLAGS
  sockfs_saved_LDFLAGS=$LDFLAGS
  CFLAGS="$CFLAGS $3"
  LDFLAGS="$LDFLAGS -Werror $2"
  AC_LINK_IFELSE([AC_LANG_PROGRAM()],
    [AS_VAR_SET([cache], [yes])], [AS_VAR_SET([cache], [no])])
  CFLAGS=$sockfs_saved_CFLAGS
  LDFLAGS=$sockfs_saved_LDFLAGS])
AS_VAR_IF([cache], [yes], [AS_VAR_APPEND([$1], [" $2"])])
AS_VAR_POPDEF([cache])
])
