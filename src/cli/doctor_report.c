/* Findings on their way from a check's process to whoever reads them.
 *
 * Each is written at once, as texts that end with NUL: 'F', level and check, then the message; 'R' and the remedy, then
 * the command, belong to the finding before them. */
#include "cli/doctor.h"

#include "base/files.h"
#include "cli/term.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

enum { TEXT_MAX = 2000, LEVEL_COLUMNS = 9, CHECK_COLUMNS = 17 };

static const char *const level_names[] = {
    [RS_FINE] = "ok", [RS_WARNING] = "warning", [RS_PROBLEM] = "problem"};

static void send_record(const rs_doctor *d, rs_buf *record) {
    if (rs_buf_status(record) == RS_OK)
        (void)rs_file_write(d->out, record->p, record->n); /* or the one who asked is gone */
    rs_buf_deinit(record);
}

static void put_text(rs_buf *record, const char *fmt, va_list ap) {
    char text[TEXT_MAX];
    if (vsnprintf(text, sizeof text, fmt, ap) < 0) text[0] = 0;
    rs_buf_text(record, text);
    rs_buf_byte(record, 0);
}

void rs_doctor_find(rs_doctor *d, rs_level level, const char *check, const char *fmt, ...) {
    rs_buf record;
    va_list ap;
    rs_buf_init(&record);
    rs_buf_byte(&record, 'F');
    rs_buf_byte(&record, (uint8_t)('0' + level));
    rs_buf_text(&record, check);
    rs_buf_byte(&record, 0);
    va_start(ap, fmt);
    put_text(&record, fmt, ap);
    va_end(ap);
    send_record(d, &record);
}

void rs_doctor_remedy(rs_doctor *d, const char *command, const char *fmt, ...) {
    rs_buf record;
    va_list ap;
    rs_buf_init(&record);
    rs_buf_byte(&record, 'R');
    va_start(ap, fmt);
    put_text(&record, fmt, ap);
    va_end(ap);
    rs_buf_text(&record, command ? command : "");
    rs_buf_byte(&record, 0);
    send_record(d, &record);
}

/* ---- words --------------------------------------------------------------------------------------------- */

void rs_doctor_quote(rs_buf *out, const char *word) {
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-+=./:,@%";
    if (*word && word[strspn(word, plain)] == 0) {
        rs_buf_text(out, word);
        return;
    }
    rs_buf_byte(out, '\'');
    for (; *word; word++) {
        if (*word == '\'') rs_buf_text(out, "'\\''");
        else rs_buf_byte(out, (uint8_t)*word);
    }
    rs_buf_byte(out, '\'');
}

const char *rs_doctor_command(const char *arguments) {
    static char line[TEXT_MAX];
    rs_buf program;
    rs_buf_init(&program);
    rs_doctor_quote(&program, program_invocation_name);
    snprintf(line, sizeof line, "%.*s %s", RS_STR_ARG(rs_buf_slice(&program)), arguments);
    rs_buf_deinit(&program);
    return line;
}

void rs_doctor_put_bytes(rs_buf *out, uint64_t bytes) {
    static const char *const units[] = {"kB", "MB", "GB", "TB", "PB", "EB"};
    if (bytes < 1000) {
        rs_buf_printf(out, "%u bytes", (unsigned)bytes);
        return;
    }
    double n = (double)bytes / 1000;
    size_t unit = 0;
    for (; n >= 999.5 && unit + 1 < RS_ARRAY_LEN(units); unit++) n /= 1000;
    rs_buf_printf(out, "%.*f %s", n < 9.95 ? 1 : 0, n, units[unit]);
}

/* ---- reading them -------------------------------------------------------------------------------------- */

/* Takes one text off *records; false if it is not there to its end. */
static bool take_text(rs_str *records, rs_str *text) {
    const char *end = records->n ? memchr(records->p, 0, records->n) : NULL;
    if (!end) return false;
    *text = (rs_str){records->p, (size_t)(end - records->p)};
    *records = rs_str_from(*records, text->n + 1);
    return true;
}

/* Bytes that are not UTF-8 (a path's) become U+FFFD. */
static json_t *json_text(rs_str s) {
    rs_buf text;
    rs_buf_init(&text);
    rs_buf_put_utf8(&text, s);
    json_t *made = json_stringn(text.n ? text.p : "", text.n);
    rs_buf_deinit(&text);
    return made;
}

static bool add_finding(json_t *all, rs_str head, rs_str message) {
    unsigned level = head.n > 1 ? (unsigned)head.p[1] - '0' : RS_PROBLEM;
    json_t *one = json_pack("{s:o, s:s, s:o, s:n, s:n}", "check", json_text(rs_str_from(head, 2)), "status",
                            level_names[level <= RS_PROBLEM ? level : RS_PROBLEM], "message",
                            json_text(message), "remedy", "command");
    return one && json_array_append_new(all, one) == 0;
}

static bool add_remedy(json_t *all, rs_str remedy, rs_str command) {
    json_t *last = json_array_get(all, json_array_size(all) - 1);
    if (!last) return true;
    return json_object_set_new(last, "remedy", json_text(remedy)) == 0 &&
           (command.n == 0 || json_object_set_new(last, "command", json_text(command)) == 0);
}

json_t *rs_doctor_findings(rs_str records) {
    json_t *all = json_array();
    rs_str first, second;
    while (all && take_text(&records, &first) && take_text(&records, &second)) {
        bool is_finding = first.n && first.p[0] == 'F';
        if (is_finding ? add_finding(all, first, second) : add_remedy(all, rs_str_from(first, 1), second))
            continue;
        json_decref(all);
        return NULL;
    }
    return all;
}

/* ---- showing them -------------------------------------------------------------------------------------- */

static rs_str text_of(const json_t *finding, const char *key) {
    const json_t *v = json_object_get(finding, key);
    return (rs_str){json_string_value(v), json_string_length(v)};
}

/* In a pipe a text stays on one line, so that grep finds it whole. */
static void put_wrapped(const rs_term *t, rs_buf *out, rs_str text, bool indent_first) {
    enum { INDENT = LEVEL_COLUMNS + CHECK_COLUMNS, LEAST = 30 };
    size_t room = t->narrow && t->width > INDENT + LEAST ? (size_t)t->width - INDENT
                  : t->narrow                            ? LEAST
                                                         : 4000;
    for (bool first = true;; first = false) {
        size_t before = out->n;
        if (!first || indent_first) rs_buf_printf(out, "%*s", INDENT, "");
        if (!rs_term_put_line(out, &text, room)) {
            out->n = before;
            return;
        }
        rs_term_end_line(out);
    }
}

static void print_one(const rs_term *t, const json_t *finding, rs_buf *out) {
    rs_str status = text_of(finding, "status"), command = text_of(finding, "command"),
           remedy = text_of(finding, "remedy");
    rs_colour colour = rs_str_eq(status, RS_STR("ok"))        ? RS_GREEN
                       : rs_str_eq(status, RS_STR("warning")) ? RS_YELLOW
                                                              : RS_RED;
    rs_term_colour(t, out, colour);
    rs_term_put_cell(t, out, status, LEVEL_COLUMNS, false);
    rs_term_colour(t, out, RS_PLAIN);
    rs_term_put_cell(t, out, text_of(finding, "check"), CHECK_COLUMNS, false);
    put_wrapped(t, out, text_of(finding, "message"), false);
    if (remedy.n) put_wrapped(t, out, remedy, true);
    if (!command.n) return;
    rs_buf_printf(out, "%*s", LEVEL_COLUMNS + CHECK_COLUMNS + 2, "");
    rs_term_colour(t, out, RS_BOLD);
    rs_term_put(t, out, command, TEXT_MAX); /* whole, to be copied */
    rs_term_colour(t, out, RS_PLAIN);
    rs_term_end_line(out);
}

void rs_doctor_print(const json_t *findings, rs_buf *out) {
    rs_term term;
    size_t i;
    json_t *finding;
    rs_term_init(&term);
    json_array_foreach(findings, i, finding) print_one(&term, finding, out);
}
