#include "store/sqlite/tag.h"
#include "store/sqlite/tag_index.h"
#include "store/sqlite/tag_recent.h"

#include "base/xxh.h"
#include <stdlib.h>

enum {
    KEPT_ROWS = 1 << 18,
    SORTED_BY_DIGITS = 256, /* rows: of fewer qsort is as quick */
    DIGIT_BITS = 11,
};

int64_t rs_tag_hash(rs_str key, rs_str value) {
    XXH64_hash_t seed = XXH3_64bits(key.p ? key.p : "", key.n);
    return (int64_t)XXH3_64bits_withSeed(value.p ? value.p : "", value.n, seed);
}

void rs_tags_init(rs_tags *t) { *t = (rs_tags){0}; }

void rs_tags_deinit(rs_tags *t) {
    free(t->rows);
    free(t->keys);
    rs_buf_deinit(&t->text);
    *t = (rs_tags){0};
}

void rs_tags_clear(rs_tags *t) {
    if (t->cap > KEPT_ROWS) rs_tags_deinit(t);
    rs_buf_clear(&t->text);
    t->n = 0;
    t->failed = RS_OK;
}

void rs_tags_begin_trace(rs_tags *t, bool is_old) {
    memset(t->met, 0, sizeof t->met);
    t->met[0] = 1; /* no hash that belongs there */
    t->is_old = is_old;
}

bool rs_tags_put(rs_tags *t, int64_t hash, int64_t trace, bool may_exist) {
    if (t->n == t->cap) {
        size_t cap = t->cap ? t->cap * 2 : 1024;
        struct rs_tag_row *rows = realloc(t->rows, cap * sizeof *rows);
        if (!rows) t->failed = RS_ERR_MEMORY;
        if (!rows) return false;
        t->rows = rows;
        t->cap = cap;
    }
    t->rows[t->n++] = (struct rs_tag_row){hash, trace, may_exist};
    return true;
}

static void add(rs_tags *t, rs_str key, rs_str value, int64_t trace) {
    if (value.n == 0 || t->failed != RS_OK) return;
    int64_t hash = rs_tag_hash(key, value), *met = &t->met[(uint64_t)hash % RS_TAGS_MET];
    if (*met == hash) return; /* spans of a trace share most of their tags */
    *met = hash;
    (void)rs_tags_put(t, hash, trace, t->is_old);
}

/* A key below `prefix`; a value that is no string is its JSON. */
static void add_below(rs_tags *t, const char *prefix, const rs_attr *a, int64_t trace) {
    rs_buf *text = &t->text;
    rs_buf_clear(text);
    rs_buf_text(text, prefix);
    rs_buf_str(text, a->key);
    size_t key_end = text->n;
    if (a->value.type == RS_VALUE_STRING) {
        rs_buf_str(text, a->value.s);
    } else {
        rs_json j = rs_json_on(text);
        rs_value_write_json(&j, &a->value);
    }
    if (text->failed != RS_OK) t->failed = text->failed;
    else add(t, (rs_str){text->p, key_end}, (rs_str){text->p + key_end, text->n - key_end}, trace);
}

static rs_str status_name(rs_status_code status) {
    switch (status) {
    case RS_STATUS_OK:
        return RS_STR("ok");
    case RS_STATUS_ERROR:
        return RS_STR("error");
    case RS_STATUS_UNSET:
        break;
    }
    return RS_STR("unset");
}

void rs_tags_add(rs_tags *t, const rs_span *s, int64_t trace) {
    const rs_facts *f = &s->facts;
    add(t, RS_STR("model"), f->model, trace);
    add(t, RS_STR("model"), rs_str_behind_slash(f->model), trace);
    add(t, RS_STR("provider"), f->provider, trace);
    add(t, RS_STR("log_type"), rs_log_type_name(f->log_type), trace);
    add(t, RS_STR("name"), s->name, trace);
    add(t, RS_STR("name"), f->entity_name, trace);
    add(t, RS_STR("workflow"), f->workflow, trace);
    add(t, RS_STR("customer_identifier"), f->customer, trace);
    add(t, RS_STR("thread_identifier"), f->thread, trace);
    add(t, RS_STR("environment"), f->environment, trace);
    add(t, RS_STR("status_code"), status_name(s->status), trace);
    for (uint32_t i = 0; i < f->metadata.n; i++) add_below(t, "metadata__", &f->metadata.items[i], trace);
    for (uint32_t i = 0; i < f->model_facts.n; i++)
        add_below(t, "respan.model.", &f->model_facts.items[i], trace);
}

static int by_hash_and_trace(const void *a, const void *b) {
    const struct rs_tag_row *x = a, *y = b;
    if (x->hash != y->hash) return x->hash < y->hash ? -1 : 1;
    return (x->trace > y->trace) - (x->trace < y->trace);
}

static uint64_t digits_of(const struct rs_tag_row *row) {
    return ((uint64_t)row->hash ^ 1ull << 63) >> (64 - 2 * DIGIT_BITS);
}

/* By one digit, otherwise as they are. */
static void sort_by(const struct rs_tag_row *from, struct rs_tag_row *to, size_t n, unsigned shift) {
    enum { DIGITS = 1 << DIGIT_BITS };
    size_t starts[DIGITS] = {0}, sum = 0;
    for (size_t i = 0; i < n; i++) starts[digits_of(&from[i]) >> shift & (DIGITS - 1)]++;
    for (size_t d = 0; d < DIGITS; d++) {
        size_t own = starts[d];
        starts[d] = sum;
        sum += own;
    }
    for (size_t i = 0; i < n; i++) to[starts[digits_of(&from[i]) >> shift & (DIGITS - 1)]++] = from[i];
}

/* By two digits of the hash, which mostly leaves each tag's rows together, with the traces in order as they came; where not, those of
 * the same digits are sorted. */
static void sort_rows(struct rs_tag_row *rows, size_t n) {
    struct rs_tag_row *room = n < SORTED_BY_DIGITS ? NULL : malloc(n * sizeof *room);
    if (!room) {
        if (n > 0) qsort(rows, n, sizeof *rows, by_hash_and_trace);
        return;
    }
    sort_by(rows, room, n, 0);
    sort_by(room, rows, n, DIGIT_BITS);
    free(room);
    for (size_t from = 0, to; from < n; from = to) {
        bool in_order = true;
        for (to = from + 1; to < n && digits_of(&rows[to]) == digits_of(&rows[from]); to++)
            in_order = in_order && by_hash_and_trace(&rows[to - 1], &rows[to]) <= 0;
        if (!in_order) qsort(rows + from, to - from, sizeof *rows, by_hash_and_trace);
    }
}

/* In order, each once. */
static rs_status sort(rs_tags *t, rs_err *err) {
    size_t kept = 0;
    if (t->failed != RS_OK) return rs_fail(err, t->failed, 0, "out of memory for tags");
    sort_rows(t->rows, t->n);
    for (size_t i = 0; i < t->n; i++)
        if (kept == 0 || by_hash_and_trace(&t->rows[i], &t->rows[kept - 1]) != 0)
            t->rows[kept++] = t->rows[i];
    t->n = kept;
    if (kept <= t->keys_cap) return RS_OK;
    int64_t *keys = realloc(t->keys, kept * sizeof *keys);
    if (!keys) return rs_fail(err, RS_ERR_MEMORY, 0, "out of memory for tags");
    t->keys = keys;
    t->keys_cap = kept;
    return RS_OK;
}

/* The keys of one tag, from *at on, but for those that the index says it has. */
static rs_status take_tag(rs_tags *t, rs_index *x, size_t *at, int64_t spread, size_t *n, rs_err *err) {
    int64_t hash = t->rows[*at].hash, key;
    rs_status st = RS_OK;
    *n = 0;
    for (; *at < t->n && t->rows[*at].hash == hash && st == RS_OK; ++*at) {
        const struct rs_tag_row *row = &t->rows[*at];
        bool has = false;
        if (row->may_exist) st = rs_tag_seek(x, hash, row->trace, row->trace, false, spread, &key, &has, err);
        if (!has) t->keys[(*n)++] = row->trace;
    }
    return st;
}

/* Where they belong. */
static rs_status settle(rs_tags *t, rs_index *x, int64_t *spread, rs_err *err) {
    rs_status st = sort(t, err);
    for (size_t at = 0; at < t->n && st == RS_OK;) {
        int64_t hash = t->rows[at].hash;
        size_t n;
        st = take_tag(t, x, &at, *spread, &n, err);
        if (st == RS_OK) st = rs_tag_put(x, hash, t->keys, n, &t->text, spread, err);
    }
    return st;
}

/* With those of the last commits. */
static rs_status settle_all(rs_tags *t, rs_index *x, int64_t *recent, int64_t *spread, rs_err *err) {
    rs_status st = *recent ? rs_tag_recent_take(x, t, err) : RS_OK;
    *recent = 0;
    return st == RS_OK ? settle(t, x, spread, err) : st;
}

rs_status rs_tags_write(rs_tags *t, rs_index *x, int64_t *recent, int64_t *spread, rs_err *err) {
    if (t->failed != RS_OK) return rs_fail(err, t->failed, 0, "out of memory for tags");
    if (t->n == 0) return RS_OK;
    if (*recent + (int64_t)t->n > RS_TAG_RECENT_MAX) return settle_all(t, x, recent, spread, err);
    *recent += (int64_t)t->n;
    return rs_tag_recent_add(x, t->rows, t->n, &t->text, err);
}

rs_status rs_tags_settle(rs_index *x, int64_t *recent, int64_t *spread, rs_err *err) {
    rs_tags last;
    rs_tags_init(&last);
    rs_status st = settle_all(&last, x, recent, spread, err);
    rs_tags_deinit(&last);
    return st;
}

rs_status rs_tags_settle_partition(rs_partition *p, rs_err *err) {
    rs_partition_state state = p->state;
    rs_status st = rs_index_run(&p->writer, RS_SQL_BEGIN, err);
    if (st != RS_OK) return st;
    st = rs_tags_settle(&p->writer, &p->recent_tags, &state.tag_spread, err);
    if (st == RS_OK) st = rs_index_set_state(&p->writer, &state, err);
    if (st == RS_OK) rs_partition_note_state(p, &state);
    if (st == RS_OK) st = rs_index_run(&p->writer, RS_SQL_COMMIT, err);
    __atomic_fetch_add(&p->changes, 1, __ATOMIC_RELEASE);
    p->recent_tags = -1;
    if (st == RS_OK) p->state = state;
    else if (!sqlite3_get_autocommit(p->writer.db)) sqlite3_exec(p->writer.db, "ROLLBACK", NULL, NULL, NULL);
    return st;
}

rs_status rs_tags_erase(rs_tags *t, rs_index *x, int64_t *recent, int64_t *spread, rs_err *err) {
    if (t->n == 0 && t->failed == RS_OK) return RS_OK;
    rs_status st = sort(t, err);
    if (st == RS_OK) st = rs_tags_settle(x, recent, spread, err);
    for (size_t i = 0; i < t->n && st == RS_OK; i++)
        st = rs_tag_drop(x, t->rows[i].hash, t->rows[i].trace, *spread, &t->text, err);
    return st;
}
