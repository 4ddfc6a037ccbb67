#include "sdk/environment.h"

#include "base/ids.h"
#include "base/log.h"
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

const char *rs_env_text(const char *name) {
    const char *v = name ? getenv(name) : NULL;
    return v && *v ? v : NULL;
}

void rs_env_warn(const char *name, const char *value, const char *wants, bool quiet) {
    if (quiet) return;
    if (value) rs_log("%s=%.80s is ignored: it must be %s", name, value, wants);
    else rs_log("%s is ignored: it must be %s", name, wants);
}

/* ---- one value ----------------------------------------------------------------------------------------- */

static rs_str trim(rs_str s) {
    while (s.n && (s.p[0] == ' ' || s.p[0] == '\t')) s.p++, s.n--;
    while (s.n && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t')) s.n--;
    return s;
}

uint32_t rs_env_number(rs_env_name name, uint32_t least, uint32_t most, uint32_t otherwise, bool quiet) {
    const char *const names[] = {name.specific, name.general};
    for (size_t i = 0; i < RS_ARRAY_LEN(names); i++) {
        const char *text = rs_env_text(names[i]);
        unsigned long long value;
        if (!text) continue;
        if (rs_str_to_u64(trim(rs_str_of(text)), &value) && value >= least && value <= most)
            return (uint32_t)value;
        char wants[64];
        snprintf(wants, sizeof wants, "a whole number from %u to %u", least, most);
        rs_env_warn(names[i], text, wants, quiet);
    }
    return otherwise;
}

static void list_words(const char *const words[], char *out, size_t size) {
    for (size_t n = 0; *words && n < size; words++)
        n += (size_t)snprintf(out + n, size - n, "%s%s", n ? " or " : "", *words);
}

int rs_env_word(rs_env_name name, const char *const words[], bool quiet) {
    const char *const names[] = {name.specific, name.general};
    for (size_t i = 0; i < RS_ARRAY_LEN(names); i++) {
        const char *text = rs_env_text(names[i]);
        if (!text) continue;
        for (int k = 0; words[k]; k++)
            if (rs_str_eq_nocase(trim(rs_str_of(text)), rs_str_of(words[k]))) return k;
        char wants[64];
        list_words(words, wants, sizeof wants);
        rs_env_warn(names[i], text, wants, quiet);
    }
    return -1;
}

const char *rs_env_file(rs_env_name name, bool quiet) {
    const char *const names[] = {name.specific, name.general};
    for (size_t i = 0; i < RS_ARRAY_LEN(names); i++) {
        const char *path = rs_env_text(names[i]);
        struct stat st;
        if (!path) continue;
        if (stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, R_OK) == 0) return path;
        rs_env_warn(names[i], path, "the path of a file that can be read", quiet);
    }
    return NULL;
}

/* ---- lists --------------------------------------------------------------------------------------------- */

/* Decodes %XX in place of text that is ours; gives the new length. */
static size_t percent_decode(char *p, size_t n) {
    size_t out = 0;
    for (size_t i = 0; i < n; i++) {
        uint8_t byte;
        if (p[i] == '%' && i + 2 < n && rs_unhex((rs_str){p + i + 1, 2}, &byte, 1)) {
            p[out++] = (char)byte;
            i += 2;
        } else {
            p[out++] = p[i];
        }
    }
    return out;
}

bool rs_env_pairs(rs_env_name name, bool (*take)(void *context, rs_str key, rs_str value), void *context,
                  bool quiet) {
    const char *used = rs_env_text(name.specific) ? name.specific : name.general;
    const char *text = rs_env_text(used);
    if (!text) return true;
    char *copy = strdup(text);
    if (!copy) return false;
    bool ok = true;
    for (char *part = copy; *part;) {
        size_t n = strcspn(part, ",");
        char *next = part[n] ? part + n + 1 : part + n, *equals = memchr(part, '=', n);
        rs_str key = trim((rs_str){part, equals ? (size_t)(equals - part) : n});
        if (equals && key.n) {
            rs_str value = trim((rs_str){equals + 1, (size_t)(part + n - equals - 1)});
            key.n = percent_decode((char *)key.p, key.n);
            value.n = percent_decode((char *)value.p, value.n);
            ok = take(context, key, value) && ok;
        } else if (equals || key.n) { /* an empty part, as behind a last comma, is nothing */
            ok = false;
        }
        part = next;
    }
    if (!ok && !quiet)
        rs_log("%s is ignored in part: it must be key=value,key=value with both percent-encoded", used);
    free(copy);
    return true;
}
