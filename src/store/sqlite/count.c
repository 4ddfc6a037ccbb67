/* Counting traces without going through them: rows of the table `tag` say how many keys they have, rows of `block` how many spans.
 *
 * What has one tag is the sum over its rows. What has several is found among the keys of the rarest of them: all of those, if they are
 * few, else some at places with equally many of them between two. So what comes in bursts counts for what it is. */
#include "store/sqlite/sqlite_store.h"
#include "store/sqlite/tag.h"
#include "store/sqlite/tag_cursor.h"

#include <stdlib.h>

enum {
    TALLY_ROWS = 12288, /* of table `tag` that one question reads */
    TALLY_LEAST = 64,   /* of one tag in one partition */
    SAMPLE_FEW = 64, /* keys that are to match; until so many did, at each place that many are looked at: */
    FAR_APART = 64,  /* keys of a group between two of the one that leads: it is asked key by key */
};

static const uint64_t samples[] = {24, 64, 256};

/* One partition. */
typedef struct part {
    rs_partition *p;
    rs_index *x;
    rs_key_range keys;  /* of its traces, within the window */
    bool is_whole;      /* that is all of them */
    uint64_t changes;   /* before the transaction began */
    rs_tag_tally *tags; /* by number of the tag */
    double *keys_of;    /* keys that each has, about */
    double traces;      /* in the window; < 0: not known yet */
    double leads;       /* keys of the group that leads */
} part;

typedef struct counting {
    rs_trace_count *c;
    bool has_window;
    part *parts;
    size_t nparts;
    const rs_tag_group *groups;
    size_t ngroups;
    const rs_tag_group *lead;
    bool *is_dense; /* by number of the group: it has FAR_APART times the keys of the one that leads */
    rs_tag_cursor *cursors; /* of the part being sampled */
    int64_t *hashes;
} counting;

static rs_status no_memory(rs_err *err) { return rs_fail(err, RS_ERR_MEMORY, 0, "out of memory"); }

/* ---- all traces, by blocks ----------------------------------------------------------------------------- */

static rs_key_range keys_of_block(const rs_block_ref *b) {
    rs_key_range keys = {b->min_key, (int64_t)(b->max_start / 1000)};
    if (b->min_key == INT64_MIN) keys.low = (int64_t)(b->min_start / 1000);
    if (keys.high < keys.low) keys.high = keys.low;
    return keys;
}

/* The share of a range that lies within another. */
static double share_of(const rs_key_range *of, const rs_key_range *in) {
    int64_t from = of->low > in->low ? of->low : in->low, to = of->high < in->high ? of->high : in->high;
    if (from > to) return 0;
    return ((double)to - (double)from + 1) / ((double)of->high - (double)of->low + 1);
}

/* Spans in the blocks of a partition, and of them those in the range. Where `want` is not NULL it has ascending numbers of the latter, and
 * at[i] becomes a key about where the want[i]-th is. */
static rs_status spans_in(rs_index *x, const rs_key_range *keys, double *all, double *inside,
                          const double *want, size_t n, int64_t *at, rs_err *err) {
    sqlite3_stmt *stmt;
    bool row;
    size_t next = 0;
    *all = *inside = 0;
    rs_status st = rs_index_prepare(x, RS_SQL_BLOCKS_SINCE, &stmt, err);
    if (st == RS_OK) sqlite3_bind_int64(stmt, 1, INT64_MIN), sqlite3_bind_int64(stmt, 2, 0);
    while (st == RS_OK && (st = rs_db_step(stmt, &row, err)) == RS_OK && row) {
        rs_block_ref b = rs_index_block_ref(stmt);
        rs_key_range of_it = keys_of_block(&b);
        *all += b.spans;
        *inside += b.spans * share_of(&of_it, keys);
        for (; next<n && * inside> want[next]; next++)
            at[next] = of_it.high < keys->high ? of_it.high : keys->high;
    }
    for (; next < n; next++) at[next] = keys->high;
    return st;
}

/* How many of the partition's traces have a key in the range. */
static rs_status traces_in(part *t, const rs_key_range *keys, double *out, rs_err *err) {
    rs_partition_state state;
    double all, inside;
    rs_status st = rs_index_get_state(t->x, &state, err);
    *out = 0;
    if (st != RS_OK) return st;
    bool is_all = keys->low <= __atomic_load_n(&t->p->key_min, __ATOMIC_ACQUIRE) &&
                  keys->high >= __atomic_load_n(&t->p->key_max, __ATOMIC_ACQUIRE);
    if (is_all) return *out = (double)state.traces, RS_OK;
    st = spans_in(t->x, keys, &all, &inside, NULL, 0, NULL, err);
    *out = all > 0 ? (double)state.traces * inside / all : 0;
    return st;
}

/* ---- partitions ---------------------------------------------------------------------------------------- */

static rs_status begin(counting *k, const rs_partition_set *set, rs_key_range keys, rs_err *err) {
    rs_status st = RS_OK;
    k->parts = calloc(set->n ? set->n : 1, sizeof *k->parts);
    if (!k->parts) return no_memory(err);
    for (size_t i = 0; i < set->n && st == RS_OK; i++) {
        rs_partition *p = set->items[i];
        int64_t min = __atomic_load_n(&p->key_min, __ATOMIC_ACQUIRE),
                max = __atomic_load_n(&p->key_max, __ATOMIC_ACQUIRE);
        if (min > max || min > keys.high || max < keys.low) continue;
        part *t = &k->parts[k->nparts];
        *t = (part){.p = p, .keys = keys, .traces = -1};
        t->changes = __atomic_load_n(&p->changes, __ATOMIC_ACQUIRE);
        t->is_whole = keys.low <= min && keys.high >= max;
        if ((st = rs_partition_borrow(p, &t->x, err)) != RS_OK) break;
        k->nparts++;
        st = rs_index_run(t->x, RS_SQL_BEGIN_READ, err);
    }
    return st;
}

static void end(counting *k) {
    rs_err ignored = {0};
    for (size_t i = 0; i < k->nparts; i++) {
        part *t = &k->parts[i];
        free(t->tags);
        free(t->keys_of);
        if (!sqlite3_get_autocommit(t->x->db)) (void)!rs_index_run(t->x, RS_SQL_COMMIT, &ignored);
        rs_partition_return(t->p, t->x);
    }
    free(k->parts);
    free(k->hashes);
    free(k->cursors);
    free(k->is_dense);
}

/* ---- rows that no tag leads to ------------------------------------------------------------------------- */

/* The numbers, among `total` of which the first lie before `before`, at which places are that fall to a part with `own`. */
static size_t places_in(double before, double own, double total, double *want) {
    size_t n = 0;
    for (size_t i = 0; i < RS_COUNT_PLACES; i++) {
        double at = ((double)i + 0.5) / RS_COUNT_PLACES * total;
        if (at >= before && at < before + own) want[n++] = at - before;
    }
    return n;
}

/* The same by arrival numbers, of which those of a partition follow each other unless many of its spans came late; *found: they do. */
static rs_status find_by_number(part *t, const double *want, size_t n, int64_t *at, bool *found,
                                rs_err *err) {
    sqlite3_stmt *stmt;
    rs_partition_state state;
    bool row = false;
    *found = false;
    rs_status st = rs_index_get_state(t->x, &state, err);
    if (st == RS_OK) st = rs_index_prepare(t->x, RS_SQL_FIRST_BLOCK, &stmt, err);
    if (st == RS_OK) st = rs_db_step(stmt, &row, err);
    if (st != RS_OK) return st;
    double first = row ? (double)sqlite3_column_int64(stmt, 0) : 0, numbers = (double)state.next_span - first;
    sqlite3_reset(stmt);
    if (!t->is_whole || t->traces <= 0 || numbers > 1.1 * (double)state.spans + 1000) return st;
    if ((st = rs_index_prepare(t->x, RS_SQL_LAST_BLOCKS, &stmt, err)) != RS_OK) return st;
    *found = true;
    for (size_t i = 0; i < n && *found && st == RS_OK; i++) {
        sqlite3_bind_int64(stmt, 1, (int64_t)(first + numbers * want[i] / t->traces) + 1);
        sqlite3_bind_int64(stmt, 2, 0);
        sqlite3_bind_int64(stmt, 3, 1);
        st = rs_db_step(stmt, found, err);
        if (!*found) break;
        rs_block_ref b = rs_index_block_ref(stmt);
        at[i] = keys_of_block(&b).high;
        sqlite3_reset(stmt);
    }
    return st;
}

static rs_status find_rows(part *t, double *want, size_t n, int64_t *at, rs_err *err) {
    double all, inside;
    bool found;
    rs_status st = find_by_number(t, want, n, at, &found, err);
    if (st != RS_OK || found) return st;
    st = spans_in(t->x, &t->keys, &all, &inside, NULL, 0, NULL, err);
    for (size_t i = 0; i < n; i++) want[i] *= t->traces > 0 ? inside / t->traces : 0;
    return st == RS_OK ? spans_in(t->x, &t->keys, &all, &inside, want, n, at, err) : st;
}

static rs_status count_rows(counting *k, rs_err *err) {
    rs_trace_count *c = k->c;
    rs_status st = RS_OK;
    c->is_exact = true;
    for (size_t i = 0; i < k->nparts && st == RS_OK; i++) {
        st = traces_in(&k->parts[i], &k->parts[i].keys, &k->parts[i].traces, err);
        c->count += k->parts[i].traces;
        c->is_exact = c->is_exact && k->parts[i].is_whole && !k->has_window;
    }
    double before = 0;
    for (size_t i = 0; i < k->nparts && st == RS_OK; i++) {
        part *t = &k->parts[i];
        double want[RS_COUNT_PLACES];
        size_t n = places_in(before, t->traces, c->count, want);
        before += t->traces;
        if (n > 0) st = find_rows(t, want, n, c->places + c->nplaces, err);
        c->nplaces += n;
    }
    return st;
}

/* ---- tags ---------------------------------------------------------------------------------------------- */

/* What a tally that ended early saw, times all traces by those behind its edge. */
static rs_status extend(part *t, const rs_tag_tally *tally, double *keys, rs_err *err) {
    double seen;
    rs_key_range behind = {tally->edge, t->keys.high};
    rs_status st = RS_OK;
    *keys = (double)tally->keys;
    if (tally->is_complete) return st;
    if (t->traces < 0) st = traces_in(t, &t->keys, &t->traces, err);
    if (st == RS_OK) st = traces_in(t, &behind, &seen, err);
    if (st == RS_OK && seen > 0 && t->traces > seen) *keys *= t->traces / seen;
    return st;
}

/* Of a whole partition it is kept for the next question, until something is committed to it. */
static rs_status tally(part *t, int64_t hash, rs_tag_tally *out, rs_err *err) {
    size_t most = out->most;
    if (t->is_whole && rs_tag_known_find(&t->p->known, hash, t->changes, out)) return RS_OK;
    *out = (rs_tag_tally){.most = most};
    rs_status st = rs_tag_tally_make(t->x, hash, t->keys.low, t->keys.high,
                                     __atomic_load_n(&t->p->tag_spread, __ATOMIC_ACQUIRE), out, err);
    if (st == RS_OK && t->is_whole && out->is_complete) rs_tag_known_put(&t->p->known, hash, t->changes, out);
    return st;
}

static rs_status tally_all(counting *k, bool *complete, rs_err *err) {
    const rs_trace_count *c = k->c;
    rs_status st = RS_OK;
    size_t most = TALLY_ROWS / (k->nparts * c->ntags);
    *complete = true;
    for (size_t i = 0; i < k->nparts && st == RS_OK; i++) {
        part *t = &k->parts[i];
        t->tags = calloc(c->ntags, sizeof *t->tags);
        t->keys_of = calloc(c->ntags, sizeof *t->keys_of);
        if (!t->tags || !t->keys_of) return no_memory(err);
        for (size_t n = 0; n < c->ntags && st == RS_OK; n++) {
            t->tags[n].most = most < TALLY_LEAST ? TALLY_LEAST : most;
            st = tally(t, k->hashes[n], &t->tags[n], err);
            if (st == RS_OK) st = extend(t, &t->tags[n], &t->keys_of[n], err);
            *complete = *complete && t->tags[n].is_complete;
        }
    }
    return st;
}

static double keys_of_group(const part *t, const rs_tag_group *group) {
    double sum = 0;
    for (size_t n = 0; n < group->n; n++) sum += t->keys_of[group->items[n]];
    return sum;
}

static double keys_of_all(const counting *k, const rs_tag_group *group) {
    double sum = 0;
    for (size_t i = 0; i < k->nparts; i++) sum += keys_of_group(&k->parts[i], group);
    return sum;
}

/* The group that leads, the one with the fewest keys; how many. */
static double choose(counting *k) {
    double least = 0;
    for (size_t g = 0; g < k->ngroups; g++) {
        double sum = keys_of_all(k, &k->groups[g]);
        if (k->lead && sum >= least) continue;
        k->lead = &k->groups[g];
        least = sum;
    }
    for (size_t g = 0; g < k->ngroups; g++)
        k->is_dense[g] = keys_of_all(k, &k->groups[g]) > FAR_APART * least;
    for (size_t i = 0; i < k->nparts; i++) k->parts[i].leads = keys_of_group(&k->parts[i], k->lead);
    return least;
}

/* ---- among the keys of the group that leads ------------------------------------------------------------ */

typedef struct sample {
    uint64_t tags, matches; /* that the keys gone through have of the group; keys that have all groups */
} sample;

static void open_cursors(counting *k) {
    for (size_t n = 0; n < k->c->ntags; n++) k->cursors[n] = (rs_tag_cursor){.hash = k->hashes[n]};
}

static void close_cursors(counting *k) {
    for (size_t n = 0; n < k->c->ntags; n++) rs_tag_cursor_close(&k->cursors[n]);
}

/* The first key from `from` down that has a tag of the group, and how many of its tags it has. */
static rs_status next_in(counting *k, part *t, const rs_tag_group *group, int64_t from, int64_t low,
                         int64_t *key, unsigned *tags, rs_err *err) {
    int64_t spread = __atomic_load_n(&t->p->tag_spread, __ATOMIC_ACQUIRE);
    rs_status st = RS_OK;
    *tags = 0;
    for (size_t i = 0; i < group->n && st == RS_OK; i++) {
        int64_t at = 0;
        bool found = false;
        st = rs_tag_cursor_seek(&k->cursors[group->items[i]], t->x, from, low, spread, &at, &found, err);
        if (!found) continue;
        if (*tags == 0 || at > *key) *key = at, *tags = 1;
        else *tags += at == *key;
    }
    return st;
}

static rs_status has_group(counting *k, part *t, size_t g, int64_t key, bool *has, rs_err *err) {
    const rs_tag_group *group = &k->groups[g];
    int64_t spread = __atomic_load_n(&t->p->tag_spread, __ATOMIC_ACQUIRE), at = 0;
    unsigned tags;
    rs_status st = RS_OK;
    *has = false;
    if (!k->is_dense[g]) {
        st = next_in(k, t, group, key, t->keys.low, &at, &tags, err);
        *has = tags > 0 && at == key;
        return st;
    }
    for (size_t i = 0; i < group->n && !*has && st == RS_OK; i++)
        st = rs_tag_cursor_has(&k->cursors[group->items[i]], t->x, key, spread, has, err);
    return st;
}

/* Up to so many keys of the leading group, from one on downwards. */
static rs_status look(counting *k, part *t, int64_t from, uint64_t most, sample *s, int64_t *until,
                      rs_err *err) {
    rs_status st = RS_OK;
    for (uint64_t i = 0; i < most && from >= t->keys.low; i++) {
        int64_t key = from;
        unsigned tags;
        bool has = true;
        st = next_in(k, t, k->lead, from, t->keys.low, &key, &tags, err);
        if (st != RS_OK || tags == 0) break;
        s->tags += tags;
        for (size_t g = 0; g < k->ngroups && has && st == RS_OK; g++)
            if (&k->groups[g] != k->lead) st = has_group(k, t, g, key, &has, err);
        s->matches += has;
        if (st != RS_OK || key == INT64_MIN) break;
        from = key - 1;
    }
    *until = from;
    return st;
}

static rs_status look_at_all(counting *k, sample *s, rs_err *err) {
    rs_status st = RS_OK;
    int64_t until;
    for (size_t i = 0; i < k->nparts && st == RS_OK; i++) {
        open_cursors(k);
        st = look(k, &k->parts[i], k->parts[i].keys.high, UINT64_MAX, s, &until, err);
        close_cursors(k);
    }
    return st;
}

/* The tag of the leading group that has the most keys in the part: by it places are found. */
static const rs_tag_tally *guide(const counting *k, const part *t) {
    const rs_tag_tally *best = NULL;
    for (size_t n = 0; n < k->lead->n; n++) {
        const rs_tag_tally *tally = &t->tags[k->lead->items[n]];
        if (!best || tally->keys > best->keys) best = tally;
    }
    return best;
}

/* Places by the rows of the guide, newest first. */
static void find_places(counting *k, double total) {
    double before = 0;
    rs_trace_count *c = k->c;
    for (size_t i = k->nparts; i-- > 0;) {
        part *t = &k->parts[i];
        double want[RS_COUNT_PLACES], passed = 0;
        size_t n = places_in(before, t->leads, total, want), m = 0;
        const rs_tag_tally *by = guide(k, t);
        before += t->leads;
        for (size_t w = 0; w < n && by && by->nmarks > 0; w++) {
            while (m + 1 < by->nmarks &&
                   passed + (double)by->marks[m].n <= want[w] * (double)by->keys / t->leads)
                passed += (double)by->marks[m++].n;
            c->places[c->nplaces++] = by->marks[m].last < t->keys.high ? by->marks[m].last : t->keys.high;
        }
    }
}

/* Places of a part come in order, newest first, so its cursors go on from one to the next. */
static rs_status look_at_places(counting *k, double total, uint64_t most, sample *s, rs_err *err) {
    rs_status st = RS_OK;
    double before = 0;
    size_t at = 0;
    *s = (sample){0};
    for (size_t i = k->nparts; i-- > 0 && st == RS_OK;) {
        part *t = &k->parts[i];
        double want[RS_COUNT_PLACES];
        size_t n = guide(k, t)->nmarks ? places_in(before, t->leads, total, want) : 0;
        before += t->leads;
        if (n == 0) continue;
        int64_t until = INT64_MAX;
        open_cursors(k);
        for (; n > 0 && st == RS_OK; n--, at++) {
            int64_t from = k->c->places[at] < until ? k->c->places[at] : until;
            st = look(k, t, from, most, s, &until, err);
        }
        close_cursors(k);
    }
    return st;
}

static rs_status count_tags(counting *k, rs_err *err) {
    rs_trace_count *c = k->c;
    sample s = {0};
    bool complete;
    rs_status st = tally_all(k, &complete, err);
    if (st != RS_OK) return st;
    double total = choose(k);
    bool is_single = k->ngroups == 1 && k->lead->n == 1;
    find_places(k, total);
    c->count = total;
    c->is_exact = complete && (total == 0 || (is_single && !k->has_window));
    if (c->is_exact || is_single) return st;
    if (complete && !c->is_rough && total <= RS_COUNT_EXACT) {
        st = look_at_all(k, &s, err);
        c->is_exact = !k->has_window;
        c->count = (double)s.matches;
        return st;
    }
    for (size_t i = 0; i < RS_ARRAY_LEN(samples) && st == RS_OK && s.matches < SAMPLE_FEW; i++)
        st = look_at_places(k, total, samples[i], &s, err);
    c->count = s.tags ? total * (double)s.matches / (double)s.tags : 0;
    return st;
}

/* ---- asking -------------------------------------------------------------------------------------------- */

/* Hashes, cursors and, where the question has none, a group for each tag. */
static rs_status prepare(counting *k, rs_tag_group **made, uint16_t **numbers, rs_err *err) {
    const rs_trace_count *c = k->c;
    size_t n = c->ntags;
    k->groups = c->groups;
    k->ngroups = c->groups ? c->ngroups : n;
    if (n > RS_SCAN_TAGS_MAX) return rs_fail(err, RS_ERR_TOO_LARGE, 0, "more than %d tags", RS_SCAN_TAGS_MAX);
    if (k->ngroups == 0) return RS_OK;
    k->hashes = calloc(n, sizeof *k->hashes);
    k->cursors = calloc(n, sizeof *k->cursors);
    k->is_dense = calloc(k->ngroups, sizeof *k->is_dense);
    *made = c->groups ? NULL : calloc(n, sizeof **made);
    *numbers = c->groups ? NULL : calloc(n, sizeof **numbers);
    if (!k->hashes || !k->cursors || !k->is_dense || (!c->groups && (!*made || !*numbers)))
        return no_memory(err);
    for (size_t i = 0; i < n; i++) k->hashes[i] = rs_tag_hash(c->tags[i].key, c->tags[i].value);
    if (c->groups) return RS_OK;
    k->groups = *made;
    for (size_t i = 0; i < n; i++) {
        (*numbers)[i] = (uint16_t)i;
        (*made)[i] = (rs_tag_group){&(*numbers)[i], 1};
    }
    return RS_OK;
}

rs_status rs_store_count_traces(rs_store *s, uint64_t project, rs_trace_count *c, rs_err *err) {
    rs_project_data *p;
    counting k = {.c = c, .has_window = c->start_min_ns || c->start_max_ns};
    rs_tag_group *made = NULL;
    uint16_t *numbers = NULL;
    c->count = 0;
    c->is_exact = true;
    c->nplaces = 0;
    rs_status st = rs_store_find_project(s, project, false, &p, err);
    if (st != RS_OK || !p) return st;
    const rs_partition_set *set = rs_project_data_hold(p);
    rs_trace_scan as = {.start_min_ns = c->start_min_ns, .start_max_ns = c->start_max_ns};
    st = prepare(&k, &made, &numbers, err);
    if (st == RS_OK) st = begin(&k, set, rs_scan_keys(&as, rs_partition_set_skew(set)), err);
    if (st == RS_OK && k.nparts > 0) st = k.ngroups > 0 ? count_tags(&k, err) : count_rows(&k, err);
    end(&k);
    free(made);
    free(numbers);
    rs_project_data_let_go(p, set);
    return st;
}

rs_status rs_store_estimate_traces(rs_store *s, uint64_t project, const rs_store_range *keys, double *out,
                                   rs_err *err) {
    rs_project_data *p;
    rs_trace_count c = {0};
    counting k = {.c = &c};
    *out = 0;
    rs_status st = rs_store_find_project(s, project, false, &p, err);
    if (st != RS_OK || !p) return st;
    const rs_partition_set *set = rs_project_data_hold(p);
    st = begin(&k, set, (rs_key_range){keys->low, keys->high}, err);
    for (size_t i = 0; i < k.nparts && st == RS_OK; i++) {
        double traces;
        st = traces_in(&k.parts[i], &k.parts[i].keys, &traces, err);
        *out += traces;
    }
    end(&k);
    rs_project_data_let_go(p, set);
    return st;
}
