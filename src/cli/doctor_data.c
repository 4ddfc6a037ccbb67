/* Doctor: the server's data on this machine. */
#include "cli/doctor.h"

#include "cli/data_dir.h"
#include "cli/doctor_files.h"
#include "store/store.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

static void say_broken(rs_doctor *d, const rs_err *err) {
    rs_doctor_find(d, RS_PROBLEM, "data", "%s", err->message);
    if (err->code == RS_ERR_UNSUPPORTED)
        rs_doctor_remedy(
            d, NULL,
            "Use the version of respan that wrote it, or begin anew with `respan serve --data DIR`.");
    else if (err->code == RS_ERR_CORRUPT)
        rs_doctor_remedy(d, NULL,
                         "Restore that file from a backup, or begin anew with `respan serve --data DIR`.");
}

static void look_into(rs_doctor *d, const char *dir) {
    rs_store_facts facts;
    rs_err err = {0};
    rs_status st = rs_control_look(dir, &err);
    if (st == RS_ERR_NOT_FOUND) {
        rs_doctor_find(d, RS_FINE, "data", "%s: no server has run here yet", dir);
        return;
    }
    if (st == RS_OK) st = rs_store_look(dir, &facts, &err);
    if (st != RS_OK) {
        say_broken(d, &err);
        return;
    }
    char holder[60] = "no server has it open";
    if (facts.holder > 0) snprintf(holder, sizeof holder, "open in process %ld", facts.holder);
    if (facts.holder < 0) snprintf(holder, sizeof holder, "open in another process");
    rs_buf size;
    rs_buf_init(&size);
    rs_doctor_put_bytes(&size, facts.bytes);
    rs_doctor_find(d, RS_FINE, "data", "%s: %" PRIu64 " trace%s, %" PRIu64 " span%s, %.*s; %s", dir,
                   facts.traces, facts.traces == 1 ? "" : "s", facts.spans, facts.spans == 1 ? "" : "s",
                   RS_STR_ARG(rs_buf_slice(&size)), holder);
    rs_buf_deinit(&size);
}

void rs_doctor_data(rs_doctor *d) {
    char dir[RS_PATH_MAX];
    rs_err err = {0};
    if (rs_data_dir(d->data, dir, &err) != RS_OK) {
        rs_doctor_find(d, RS_PROBLEM, "data", "%s", err.message);
        return;
    }
    if (rs_doctor_folder(d, "data", dir, "a server cannot keep traces there")) look_into(d, dir);
    rs_doctor_disk(d, "data", dir);
}
