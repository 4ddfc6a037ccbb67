#include "store/sqlite/details.h"

#include <stdlib.h>

/* On a value's type byte: its bytes are in the content section. */
enum { IN_CONTENT = 0x80 };

/* ---- encoding ------------------------------------------------------------------------------------------ */

void rs_details_writer_init(rs_details_writer *w) { *w = (rs_details_writer){0}; }

void rs_details_writer_deinit(rs_details_writer *w) {
    rs_buf_deinit(&w->records);
    rs_buf_deinit(&w->content);
    rs_buf_deinit(&w->scratch);
    rs_intern_deinit(&w->keys);
    rs_intern_deinit(&w->resources);
    rs_intern_deinit(&w->scopes);
    rs_arena_deinit(&w->bodies);
}

void rs_details_writer_clear(rs_details_writer *w) {
    rs_buf_clear(&w->records);
    rs_buf_clear(&w->content);
    rs_buf_clear(&w->scratch);
    rs_intern_clear(&w->keys);
    rs_intern_clear(&w->resources);
    rs_intern_clear(&w->scopes);
    rs_arena_deinit(&w->bodies);
    w->last_resource = NULL;
    w->last_scope = NULL;
}

static bool key_is_content(rs_str key) {
    return rs_str_starts(key, RS_STR("gen_ai.prompt.")) || rs_str_starts(key, RS_STR("gen_ai.completion.")) ||
           rs_str_eq(key, RS_STR("traceloop.entity.input")) ||
           rs_str_eq(key, RS_STR("traceloop.entity.output"));
}

/* content NULL: everything inline. */
static void put_attr(rs_details_writer *w, rs_buf *out, rs_buf *content, const rs_attr *a, uint32_t place) {
    const rs_value *v = &a->value;
    rs_wire_varint(out, rs_intern_put_likely(&w->keys, a->key, &w->likely[place % RS_LIKELY_KEYS]));
    switch (v->type) {
    case RS_VALUE_STRING:
    case RS_VALUE_BYTES:
    case RS_VALUE_ARRAY:
    case RS_VALUE_KVLIST: {
        bool apart = content && (v->s.n > RS_INLINE_MAX || key_is_content(a->key));
        rs_buf_byte(out, (uint8_t)(v->type | (apart ? IN_CONTENT : 0)));
        rs_wire_varint(out, v->s.n);
        rs_buf_str(apart ? content : out, v->s);
        return;
    }
    case RS_VALUE_BOOL:
        rs_buf_byte(out, (uint8_t)v->type);
        rs_buf_byte(out, v->b);
        return;
    case RS_VALUE_INT:
        rs_buf_byte(out, (uint8_t)v->type);
        rs_wire_zigzag(out, v->i);
        return;
    case RS_VALUE_DOUBLE:
        rs_buf_byte(out, (uint8_t)v->type);
        rs_wire_double(out, v->d);
        return;
    case RS_VALUE_EMPTY:
        rs_buf_byte(out, (uint8_t)v->type);
        return;
    }
}

static void put_attrs(rs_details_writer *w, rs_buf *out, rs_buf *content, const rs_attrs *a) {
    rs_wire_varint(out, a->n);
    rs_wire_varint(out, a->dropped);
    for (uint32_t i = 0; i < a->n; i++) put_attr(w, out, content, &a->items[i], i);
}

/* The number of an encoded body among those seen. */
static uint32_t intern_body(rs_details_writer *w, rs_intern *bodies) {
    uint32_t before = bodies->n, number = rs_intern_put(bodies, rs_buf_slice(&w->scratch));
    if (bodies->n == before) return number;
    rs_str kept = rs_arena_copy(&w->bodies, rs_buf_slice(&w->scratch));
    if (!kept.p) bodies->failed = RS_ERR_MEMORY;
    bodies->items[number] = kept;
    return number;
}

static uint32_t resource_number(rs_details_writer *w, const rs_resource *r) {
    if (r == w->last_resource) return w->last_resource_number;
    w->scratch.n = 0;
    rs_wire_str(&w->scratch, r->schema_url);
    put_attrs(w, &w->scratch, NULL, &r->attrs);
    w->last_resource = r;
    return w->last_resource_number = intern_body(w, &w->resources);
}

static uint32_t scope_number(rs_details_writer *w, const rs_scope *s) {
    if (s == w->last_scope) return w->last_scope_number;
    w->scratch.n = 0;
    rs_wire_str(&w->scratch, s->name);
    rs_wire_str(&w->scratch, s->version);
    rs_wire_str(&w->scratch, s->schema_url);
    put_attrs(w, &w->scratch, NULL, &s->attrs);
    w->last_scope = s;
    return w->last_scope_number = intern_body(w, &w->scopes);
}

void rs_details_add(rs_details_writer *w, const rs_span *s, size_t *details, size_t *content) {
    rs_buf *out = &w->records;
    size_t records_before = out->n, content_before = w->content.n;
    rs_wire_varint(out, resource_number(w, s->resource));
    rs_wire_varint(out, scope_number(w, s->scope));
    rs_wire_varint(out, s->flags);
    rs_wire_str(out, s->trace_state);
    put_attrs(w, out, &w->content, &s->attrs);
    rs_wire_varint(out, s->dropped_events);
    rs_wire_varint(out, s->nevents);
    for (uint32_t i = 0; i < s->nevents; i++) {
        const rs_event *e = &s->events[i];
        rs_wire_zigzag(out, (int64_t)(e->time_ns - s->start_ns));
        rs_wire_str(out, e->name);
        put_attrs(w, out, &w->content, &e->attrs);
    }
    rs_wire_varint(out, s->dropped_links);
    rs_wire_varint(out, s->nlinks);
    for (uint32_t i = 0; i < s->nlinks; i++) {
        const rs_link *l = &s->links[i];
        rs_buf_put(out, l->trace_id, sizeof l->trace_id);
        rs_buf_put(out, l->span_id, sizeof l->span_id);
        rs_wire_varint(out, l->flags);
        rs_wire_str(out, l->trace_state);
        put_attrs(w, out, &w->content, &l->attrs);
    }
    *details = out->n - records_before;
    *content = w->content.n - content_before;
}

static void put_dictionary(rs_buf *out, const rs_intern *t) {
    rs_wire_varint(out, t->n);
    for (uint32_t i = 0; i < t->n; i++) rs_wire_str(out, t->items[i]);
}

rs_status rs_details_finish(rs_details_writer *w, rs_buf *out) {
    const rs_status parts[] = {w->keys.failed,    w->resources.failed, w->scopes.failed,
                               w->records.failed, w->content.failed,   w->scratch.failed};
    for (size_t i = 0; i < RS_ARRAY_LEN(parts); i++)
        if (parts[i] != RS_OK) return parts[i];
    put_dictionary(out, &w->keys);
    put_dictionary(out, &w->resources);
    put_dictionary(out, &w->scopes);
    rs_buf_str(out, rs_buf_slice(&w->records));
    return rs_buf_status(out);
}

/* ---- decoding ------------------------------------------------------------------------------------------ */

static rs_status out_of_memory(rs_err *err) {
    return rs_fail(err, RS_ERR_MEMORY, 0, "out of memory for the details of a span");
}

static rs_status take_dictionary(rs_cursor *c, rs_str **items, uint32_t *n, rs_err *err) {
    uint64_t count = rs_cursor_varint(c);
    if (c->bad || count > rs_cursor_left(c))
        return rs_fail(err, RS_ERR_CORRUPT, 0, "block details: bad dictionary");
    *items = calloc(count + 1, sizeof **items);
    if (!*items) return out_of_memory(err);
    for (uint64_t i = 0; i < count; i++) (*items)[i] = rs_cursor_str(c);
    *n = (uint32_t)count;
    return c->bad ? rs_fail(err, RS_ERR_CORRUPT, 0, "block details: bad dictionary") : RS_OK;
}

rs_status rs_details_open(rs_details *d, rs_str details, rs_str content, rs_err *err) {
    *d = (rs_details){.content = content};
    rs_cursor c = rs_cursor_on(details);
    rs_status st = take_dictionary(&c, &d->keys, &d->nkeys, err);
    if (st == RS_OK) st = take_dictionary(&c, &d->resources, &d->nresources, err);
    if (st == RS_OK) st = take_dictionary(&c, &d->scopes, &d->nscopes, err);
    if (st != RS_OK) return st;
    d->records = rs_cursor_bytes(&c, rs_cursor_left(&c));
    d->arena_keys = calloc((size_t)d->nkeys + 1, sizeof *d->arena_keys);
    d->decoded_resources = calloc((size_t)d->nresources + 1, sizeof *d->decoded_resources);
    d->decoded_scopes = calloc((size_t)d->nscopes + 1, sizeof *d->decoded_scopes);
    return d->arena_keys && d->decoded_resources && d->decoded_scopes ? RS_OK : out_of_memory(err);
}

void rs_details_close(rs_details *d) {
    free(d->keys);
    free(d->resources);
    free(d->scopes);
    free(d->arena_keys);
    free(d->decoded_resources);
    free(d->decoded_scopes);
    *d = (rs_details){0};
}

/* One record on its way out. Its bytes are in the arena already, or stay where they are: strings are slices of them. */
typedef struct reading {
    rs_details *d;
    rs_arena *arena;
    rs_cursor in, content;
    bool borrows; /* keys stay where they are, too */
    bool no_memory;
} reading;

static void *allocate(reading *r, size_t n, size_t size) {
    void *p = rs_arena_zalloc(r->arena, n, size);
    if (!p) r->no_memory = true, rs_cursor_fail(&r->in);
    return p;
}

static rs_str take_key(reading *r) {
    uint64_t number = rs_cursor_varint(&r->in);
    if (number >= r->d->nkeys) {
        rs_cursor_fail(&r->in);
        return (rs_str){0};
    }
    if (r->borrows) return r->d->keys[number];
    rs_str *kept = &r->d->arena_keys[number];
    if (!kept->p) *kept = rs_arena_copy(r->arena, r->d->keys[number]);
    if (!kept->p) r->no_memory = true, rs_cursor_fail(&r->in);
    return *kept;
}

static void take_attr(reading *r, rs_attr *a) {
    a->key = take_key(r);
    uint8_t type = rs_cursor_byte(&r->in);
    rs_cursor *from = type & IN_CONTENT ? &r->content : &r->in;
    a->value.type = (rs_value_type)(type & ~IN_CONTENT);
    switch (a->value.type) {
    case RS_VALUE_STRING:
    case RS_VALUE_BYTES:
    case RS_VALUE_ARRAY:
    case RS_VALUE_KVLIST:
        a->value.s = rs_cursor_bytes(from, rs_cursor_varint(&r->in));
        return;
    case RS_VALUE_BOOL:
        a->value.b = rs_cursor_byte(&r->in) != 0;
        return;
    case RS_VALUE_INT:
        a->value.i = rs_cursor_zigzag(&r->in);
        return;
    case RS_VALUE_DOUBLE:
        a->value.d = rs_cursor_double(&r->in);
        return;
    case RS_VALUE_EMPTY:
        return;
    }
    a->value.type = RS_VALUE_EMPTY;
    rs_cursor_fail(&r->in);
}

/* A count of things that take at least `least` bytes each. */
static uint32_t take_count(reading *r, size_t least) {
    uint64_t n = rs_cursor_varint(&r->in);
    if (n <= rs_cursor_left(&r->in) / least) return (uint32_t)n;
    rs_cursor_fail(&r->in);
    return 0;
}

static void take_attrs(reading *r, rs_attrs *out) {
    uint32_t n = (uint32_t)rs_cursor_varint(&r->in);
    out->dropped = (uint32_t)rs_cursor_varint(&r->in);
    if (n > rs_cursor_left(&r->in) / 2) rs_cursor_fail(&r->in);
    if (r->in.bad || n == 0 || !(out->items = allocate(r, n, sizeof *out->items))) return;
    for (uint32_t i = 0; i < n && !r->in.bad; i++) take_attr(r, &out->items[i]);
    if (!r->in.bad && !r->content.bad) out->n = n;
}

static void take_events(reading *r, rs_span *s) {
    s->dropped_events = (uint32_t)rs_cursor_varint(&r->in);
    uint32_t n = take_count(r, 4);
    if (n == 0 || !(s->events = allocate(r, n, sizeof *s->events))) return;
    for (uint32_t i = 0; i < n && !r->in.bad; i++) {
        s->events[i].time_ns = s->start_ns + (uint64_t)rs_cursor_zigzag(&r->in);
        s->events[i].name = rs_cursor_str(&r->in);
        take_attrs(r, &s->events[i].attrs);
    }
    if (!r->in.bad) s->nevents = n;
}

static void take_links(reading *r, rs_span *s) {
    s->dropped_links = (uint32_t)rs_cursor_varint(&r->in);
    uint32_t n = take_count(r, 28);
    if (n == 0 || !(s->links = allocate(r, n, sizeof *s->links))) return;
    for (uint32_t i = 0; i < n && !r->in.bad; i++) {
        rs_cursor_copy(&r->in, s->links[i].trace_id, 16);
        rs_cursor_copy(&r->in, s->links[i].span_id, 8);
        s->links[i].flags = (uint32_t)rs_cursor_varint(&r->in);
        s->links[i].trace_state = rs_cursor_str(&r->in);
        take_attrs(r, &s->links[i].attrs);
    }
    if (!r->in.bad) s->nlinks = n;
}

/* A body of a dictionary, copied into the arena and ready to be read; false if the number is no good. */
static bool begin_body(reading *r, const rs_str *bodies, uint64_t number, uint32_t n, reading *body) {
    *body = (reading){.d = r->d, .arena = r->arena};
    if (number >= n) return rs_cursor_fail(&r->in), false;
    rs_str kept = rs_arena_copy(r->arena, bodies[number]);
    if (!kept.p) return r->no_memory = true, rs_cursor_fail(&r->in), false;
    body->in = rs_cursor_on(kept);
    return true;
}

static const rs_resource *take_resource(reading *r) {
    reading body;
    uint64_t number = rs_cursor_varint(&r->in);
    if (number < r->d->nresources && r->d->decoded_resources[number]) return r->d->decoded_resources[number];
    if (!begin_body(r, r->d->resources, number, r->d->nresources, &body)) return NULL;
    rs_resource *made = allocate(r, 1, sizeof *made);
    if (!made) return NULL;
    made->schema_url = rs_cursor_str(&body.in);
    take_attrs(&body, &made->attrs);
    r->no_memory |= body.no_memory;
    if (body.in.bad || body.content.bad) return rs_cursor_fail(&r->in), NULL;
    return r->d->decoded_resources[number] = made;
}

static const rs_scope *take_scope(reading *r) {
    reading body;
    uint64_t number = rs_cursor_varint(&r->in);
    if (number < r->d->nscopes && r->d->decoded_scopes[number]) return r->d->decoded_scopes[number];
    if (!begin_body(r, r->d->scopes, number, r->d->nscopes, &body)) return NULL;
    rs_scope *made = allocate(r, 1, sizeof *made);
    if (!made) return NULL;
    made->name = rs_cursor_str(&body.in);
    made->version = rs_cursor_str(&body.in);
    made->schema_url = rs_cursor_str(&body.in);
    take_attrs(&body, &made->attrs);
    r->no_memory |= body.no_memory;
    if (body.in.bad || body.content.bad) return rs_cursor_fail(&r->in), NULL;
    return r->d->decoded_scopes[number] = made;
}

/* Copies of the last arena are of no use in another. */
static void use_arena(rs_details *d, const rs_arena *arena) {
    if (d->arena == arena) return;
    memset(d->arena_keys, 0, d->nkeys * sizeof *d->arena_keys);
    memset(d->decoded_resources, 0, d->nresources * sizeof *d->decoded_resources);
    memset(d->decoded_scopes, 0, d->nscopes * sizeof *d->decoded_scopes);
    d->arena = arena;
}

static bool slice(rs_str section, uint64_t at, size_t n, rs_str *out) {
    if (at > section.n || n > section.n - at) return false;
    *out = n ? (rs_str){section.p + at, n} : (rs_str){0};
    return true;
}

/* Bytes [at, at + n) of a section, in the arena. */
static bool place(rs_str section, uint64_t at, size_t n, rs_arena *arena, rs_cursor *out, bool *no_memory) {
    rs_str kept;
    if (!slice(section, at, n, &kept)) return false;
    kept = rs_arena_copy(arena, kept);
    *no_memory = !kept.p;
    *out = rs_cursor_on(kept);
    return kept.p != NULL;
}

/* What is behind the numbers of resource and scope. */
static void take_record(reading *r, rs_span *s) {
    s->flags = (uint32_t)rs_cursor_varint(&r->in);
    s->trace_state = rs_cursor_str(&r->in);
    take_attrs(r, &s->attrs);
    take_events(r, s);
    take_links(r, s);
}

static rs_status bad_record(const reading *r, rs_err *err) {
    if (r->no_memory) return out_of_memory(err);
    return rs_fail(err, RS_ERR_CORRUPT, 0, "block details: a record is malformed");
}

rs_status rs_details_borrow(rs_details *d, const rs_extent *x, rs_arena *arena, rs_span *s, rs_err *err) {
    reading r = {.d = d, .arena = arena, .borrows = true};
    rs_str record, content;
    if (!slice(d->records, x->details_at, x->details, &record) ||
        !slice(d->content, x->content_at, x->content, &content))
        return bad_record(&r, err);
    r.in = rs_cursor_on(record);
    r.content = rs_cursor_on(content);
    rs_cursor_varint(&r.in); /* resource and scope */
    rs_cursor_varint(&r.in);
    take_record(&r, s);
    return r.in.bad || r.content.bad ? bad_record(&r, err) : RS_OK;
}

rs_status rs_details_read(rs_details *d, const rs_extent *x, rs_arena *arena, rs_span *s, rs_err *err) {
    reading r = {.d = d, .arena = arena};
    const rs_resource *resource = NULL;
    const rs_scope *scope = NULL;
    use_arena(d, arena);
    if (!place(d->records, x->details_at, x->details, arena, &r.in, &r.no_memory)) goto bad;
    if (!place(d->content, x->content_at, x->content, arena, &r.content, &r.no_memory)) goto bad;
    resource = take_resource(&r);
    scope = take_scope(&r);
    take_record(&r, s);
    if (r.in.bad || r.content.bad || !resource || !scope) goto bad;
    s->resource = resource;
    s->scope = scope;
    return RS_OK;
bad:
    return bad_record(&r, err);
}
