/*
 * -fw_cfg: the files that a user gives to firmware and guest.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_ARM_FW_CFG_FILES_H
#define HW_ARM_FW_CFG_FILES_H

#include "hw/misc/fw_cfg.h"

/* "name=opt/x,file=FILE" or "name=opt/x,string=TEXT", each described; list may be NULL. */
bool fw_cfg_add_user_files(Machine *m, FwCfg *fw, const GPtrArray *list, Error **errp);

#endif
