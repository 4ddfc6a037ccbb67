/* Doctor: folders and disks, as several of its checks need them. */
#ifndef RS_CLI_DOCTOR_FILES_H
#define RS_CLI_DOCTOR_FILES_H

#include "cli/doctor.h"

/* Reports on a folder that only this user should have, and that he must be able to write, or, if there is none yet, to
 * make; `otherwise` says what happens if not. True if it is there and can be read. */
bool rs_doctor_folder(rs_doctor *d, const char *check, const char *dir, const char *otherwise);

/* The remedy for a finding that files are another user's. */
void rs_doctor_own(rs_doctor *d, const char *dir);

/* Reports how much room is left on the disk of a folder that need not exist. */
void rs_doctor_disk(rs_doctor *d, const char *check, const char *dir);

#endif
