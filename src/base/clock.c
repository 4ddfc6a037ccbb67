#include "base/clock.h"

#include <stdio.h>
#include <time.h>

static uint64_t read_clock(clockid_t id) {
    struct timespec t;
    clock_gettime(id, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

uint64_t rs_clock_wall_ns(void) { return read_clock(CLOCK_REALTIME); }
uint64_t rs_clock_mono_ns(void) { return read_clock(CLOCK_MONOTONIC); }

uint64_t rs_clock_cpu_ns(void) { return read_clock(CLOCK_THREAD_CPUTIME_ID); }

static char *put_digits(char *p, unsigned value, int width) {
    for (int i = width - 1; i >= 0; i--) {
        p[i] = (char)('0' + value % 10);
        value /= 10;
    }
    return p + width;
}

void rs_clock_cond_init(pthread_cond_t *cond) {
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(cond, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

/* The day's date: a year of the calendar that begins in March has its leap day last (Hinnant, "chrono-compatible low-level date
 * algorithms"). gmtime_r would take the lock of the time zone. */
static char *put_date(char *p, unsigned days) {
    unsigned since = days + 719468, era = since / 146097, day = since % 146097;
    unsigned year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
    unsigned of_year = day - (365 * year + year / 4 - year / 100), month = (5 * of_year + 2) / 153;
    unsigned is_next = month >= 10;
    p = put_digits(p, era * 400 + year + is_next, 4);
    *p++ = '-';
    p = put_digits(p, is_next ? month - 9 : month + 3, 2);
    *p++ = '-';
    return put_digits(p, of_year - (153 * month + 2) / 5 + 1, 2);
}

void rs_clock_format(uint64_t wall_ns, char out[RS_RFC3339_LEN + 1]) {
    uint64_t seconds = wall_ns / 1000000000u;
    unsigned of_day = (unsigned)(seconds % 86400);
    char *p = put_date(out, (unsigned)(seconds / 86400));
    *p++ = 'T';
    p = put_digits(p, of_day / 3600, 2);
    *p++ = ':';
    p = put_digits(p, of_day / 60 % 60, 2);
    *p++ = ':';
    p = put_digits(p, of_day % 60, 2);
    *p++ = '.';
    p = put_digits(p, (unsigned)(wall_ns % 1000000000u), 9);
    *p++ = 'Z';
    *p = 0;
}

/* Reads exactly `width` digits at *at; -1 if they are not there. */
static int take_digits(rs_str s, size_t *at, int width) {
    int v = 0;
    for (int i = 0; i < width; i++, (*at)++) {
        if (*at >= s.n || s.p[*at] < '0' || s.p[*at] > '9') return -1;
        v = v * 10 + (s.p[*at] - '0');
    }
    return v;
}

static bool take_char(rs_str s, size_t *at, const char *any) {
    if (*at >= s.n || s.p[*at] == 0 || !strchr(any, s.p[*at])) return false;
    (*at)++;
    return true;
}

static bool take_zone(rs_str s, size_t *at, int *offset_seconds) {
    *offset_seconds = 0;
    if (*at == s.n || take_char(s, at, "Zz")) return true;
    int sign = s.p[*at] == '-' ? -1 : 1;
    if (!take_char(s, at, "+-")) return false;
    int hours = take_digits(s, at, 2);
    if (hours < 0 || hours > 23) return false;
    take_char(s, at, ":");
    int minutes = take_digits(s, at, 2);
    if (minutes < 0 || minutes > 59) return false;
    *offset_seconds = sign * (hours * 3600 + minutes * 60);
    return true;
}

enum { NS_PER_S = 1000000000 };
#define SECONDS_MAX (UINT64_MAX / NS_PER_S - 1)

static int days_in(int year, int month) {
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && leap ? 29 : days[month - 1];
}

/* Seconds since 1970, perhaps negative, and what is beyond them. */
static bool parse(rs_str s, int64_t *seconds, uint64_t *fraction) {
    unsigned long long unix_seconds;
    *fraction = 0;
    if (s.n != 4 && rs_str_to_u64(s, &unix_seconds)) {
        *seconds = (int64_t)unix_seconds;
        return unix_seconds <= SECONDS_MAX; /* past it they are milliseconds */
    }
    size_t at = 0;
    struct tm tm = {0};
    int year = take_digits(s, &at, 4);
    bool ok = year >= 0 && take_char(s, &at, "-");
    int month = ok ? take_digits(s, &at, 2) : -1;
    ok = ok && month >= 1 && month <= 12 && take_char(s, &at, "-");
    int day = ok ? take_digits(s, &at, 2) : -1;
    if (!ok || day < 1 || day > days_in(year, month)) return false;
    int offset = 0;
    if (at < s.n) { /* a bare date means midnight UTC */
        if (!take_char(s, &at, "Tt ")) return false;
        tm.tm_hour = take_digits(s, &at, 2);
        if (tm.tm_hour < 0 || tm.tm_hour > 23 || !take_char(s, &at, ":")) return false;
        tm.tm_min = take_digits(s, &at, 2);
        if (tm.tm_min < 0 || tm.tm_min > 59) return false;
        if (take_char(s, &at, ":")) {
            tm.tm_sec = take_digits(s, &at, 2);
            if (tm.tm_sec < 0 || tm.tm_sec > 60) return false;
            if (take_char(s, &at, ".,")) {
                uint64_t unit = 100000000;
                size_t first = at;
                for (; at < s.n && s.p[at] >= '0' && s.p[at] <= '9'; at++, unit /= 10)
                    *fraction += (uint64_t)(s.p[at] - '0') * unit;
                if (at == first) return false;
            }
        }
        if (!take_zone(s, &at, &offset) || at != s.n) return false;
    }
    tm.tm_year = year - 1900;
    tm.tm_mon = month - 1;
    tm.tm_mday = day;
    *seconds = timegm(&tm) - offset;
    return true;
}

bool rs_clock_parse_bound(rs_str s, uint64_t *wall_ns) {
    int64_t seconds;
    uint64_t fraction;
    if (!parse(s, &seconds, &fraction)) return false;
    *wall_ns = seconds < 0                       ? 0
               : (uint64_t)seconds > SECONDS_MAX ? UINT64_MAX
                                                 : (uint64_t)seconds * NS_PER_S + fraction;
    return true;
}

bool rs_clock_parse(rs_str s, uint64_t *wall_ns) {
    int64_t seconds;
    uint64_t fraction;
    if (!parse(s, &seconds, &fraction) || seconds < 0 || (uint64_t)seconds > SECONDS_MAX) return false;
    *wall_ns = (uint64_t)seconds * NS_PER_S + fraction;
    return true;
}
