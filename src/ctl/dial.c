/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "ctl/faces.h"

const struct inode_operations dial_dir_iops;
const struct file_operations dial_dir_fops;
