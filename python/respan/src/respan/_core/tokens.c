/* Token ids, read where they lie: a tensor of a batch of long texts has more of them than anybody wants Python ints of. */
#include "measure.h"

typedef long long token;

/* A tensor of two or three dimensions as rows, through the buffer protocol. */
typedef struct rows {
    Py_buffer buffer;
    token (*read)(const char *item);
    Py_ssize_t count, length; /* rows, items of each */
} rows;

/* Ascending, as array("q") has them. */
typedef struct ids {
    const token *p;
    Py_ssize_t n;
} ids;

#define READER(name, type)                                                                                   \
    static token name(const char *item) {                                                                    \
        type value;                                                                                          \
        memcpy(&value, item, sizeof value); /* unaligned */                                                  \
        return (token)value;                                                                                 \
    }
READER(read_8, signed char)
READER(read_u8, unsigned char)
READER(read_16, short)
READER(read_32, int)
READER(read_64, long long)

static token (*reader_of(const Py_buffer *buffer))(const char *) {
    const char *format = buffer->format == NULL ? "B" : buffer->format;
    if (format[0] == '@' || format[0] == '=') format++;
    if (format[0] == '\0' || format[1] != '\0') return NULL;
    switch (format[0]) {
    case '?':
    case 'B':
        return read_u8;
    case 'b':
        return read_8;
    case 'h':
        return read_16;
    case 'i':
        return read_32;
    case 'l':
        return buffer->itemsize == sizeof(int) ? read_32 : read_64;
    case 'q':
        return read_64;
    default:
        return NULL;
    }
}

static bool rows_of(PyObject *tensor, rows *out) {
    if (PyObject_GetBuffer(tensor, &out->buffer, PyBUF_STRIDES | PyBUF_FORMAT) < 0) return false;
    Py_buffer *b = &out->buffer;
    out->read = reader_of(b);
    if (out->read == NULL || b->ndim < 2 || b->ndim > 3) {
        PyErr_Format(PyExc_TypeError, "token ids are integers in two or three dimensions, not \"%s\" in %d",
                     b->format == NULL ? "B" : b->format, b->ndim);
        PyBuffer_Release(b);
        return false;
    }
    out->length = b->shape[b->ndim - 1];
    out->count = b->ndim == 2 ? b->shape[0] : b->shape[0] * b->shape[1];
    return true;
}

static const char *row_at(const rows *r, Py_ssize_t at) {
    const Py_buffer *b = &r->buffer;
    const char *p = b->buf;
    if (b->ndim == 2) return p + at * b->strides[0];
    return p + at / b->shape[1] * b->strides[0] + at % b->shape[1] * b->strides[1];
}

static Py_ssize_t stride_of(const rows *r) { return r->buffer.strides[r->buffer.ndim - 1]; }

static bool is_among(ids set, token id) {
    if (set.n == 0 || id < set.p[0] || id > set.p[set.n - 1]) return false;
    Py_ssize_t low = 0, high = set.n;
    while (low < high) {
        Py_ssize_t middle = low + (high - low) / 2;
        if (set.p[middle] < id) low = middle + 1;
        else high = middle;
    }
    return low < set.n && set.p[low] == id;
}

static ids ids_in(const Py_buffer *b) { return (ids){b->buf, b->len / (Py_ssize_t)sizeof(token)}; }

static int append(PyObject *list, PyObject *item) {
    int rc = item == NULL ? -1 : PyList_Append(list, item);
    Py_XDECREF(item);
    return rc;
}

/* ---- prompts ------------------------------------------------------------------------------------------- */

typedef struct prompt_sums {
    Py_ssize_t tokens, special, padding;
} prompt_sums;

/* A mask that is longer than the ids says of tokens before them, in a cache, too. */
static Py_ssize_t count_prompt(const rows *prompts, const rows *mask, Py_ssize_t at, ids special,
                               prompt_sums *sums) {
    Py_ssize_t n = prompts->length, through = n, before = 0;
    const char *on = NULL;
    Py_ssize_t on_stride = 0, masked = 0;
    if (mask != NULL) {
        on = row_at(mask, at);
        on_stride = stride_of(mask);
        masked = mask->length;
        through = 0;
        for (Py_ssize_t i = 0; i < masked; i++) through += mask->read(on + i * on_stride) != 0;
        before = masked > n ? masked - n : 0;
    }
    const char *p = row_at(prompts, at);
    Py_ssize_t stride = stride_of(prompts);
    for (Py_ssize_t i = 0; special.n > 0 && i < n; i++) {
        bool is_seen = on == NULL || (i + before < masked && mask->read(on + (i + before) * on_stride) != 0);
        sums->special += is_seen && is_among(special, prompts->read(p + i * stride));
    }
    sums->tokens += through;
    if (n > through) sums->padding += n - through;
    return through;
}

PyObject *core_count_prompts(PyObject *Py_UNUSED(module), PyObject *args) {
    PyObject *tensor, *of_mask;
    Py_buffer special;
    rows prompts, mask;
    if (!PyArg_ParseTuple(args, "OOy*:count_prompts", &tensor, &of_mask, &special)) return NULL;
    PyObject *each = NULL, *result = NULL;
    bool has_mask = of_mask != Py_None;
    if (!rows_of(tensor, &prompts)) goto no_prompts;
    if (has_mask && !rows_of(of_mask, &mask)) goto no_mask;
    if (has_mask && mask.count != prompts.count) {
        PyErr_Format(PyExc_ValueError, "%zd prompts have %zd masks", prompts.count, mask.count);
        goto done;
    }
    prompt_sums sums = {0, 0, 0};
    each = PyList_New(0);
    for (Py_ssize_t at = 0; each != NULL && at < prompts.count; at++) {
        Py_ssize_t count = count_prompt(&prompts, has_mask ? &mask : NULL, at, ids_in(&special), &sums);
        if (append(each, PyLong_FromSsize_t(count)) < 0) Py_CLEAR(each);
    }
    if (each != NULL) result = Py_BuildValue("nnnO", sums.tokens, sums.special, sums.padding, each);
    Py_XDECREF(each);
done:
    if (has_mask) PyBuffer_Release(&mask.buffer);
no_mask:
    PyBuffer_Release(&prompts.buffer);
no_prompts:
    PyBuffer_Release(&special);
    return result;
}

/* ---- completions --------------------------------------------------------------------------------------- */

/* Tokens up to and with the first end token, or without the padding behind them; and whether it was ended so. */
static Py_ssize_t count_completion(const rows *made, const char *p, Py_ssize_t n, ids ends, ids pads,
                                   bool *is_ended) {
    Py_ssize_t stride = stride_of(made), count = n;
    *is_ended = true;
    for (Py_ssize_t i = 0; ends.n > 0 && i < n; i++)
        if (is_among(ends, made->read(p + i * stride))) return i + 1;
    while (count > 0 && is_among(pads, made->read(p + (count - 1) * stride))) count--;
    *is_ended = count < n;
    return count;
}

PyObject *core_count_completions(PyObject *Py_UNUSED(module), PyObject *args) {
    PyObject *tensor;
    Py_ssize_t prefix;
    Py_buffer ends, pads, special;
    rows made;
    if (!PyArg_ParseTuple(args, "Ony*y*y*:count_completions", &tensor, &prefix, &ends, &pads, &special))
        return NULL;
    PyObject *each = NULL, *ended = NULL, *result = NULL;
    if (rows_of(tensor, &made)) {
        if (prefix > made.length) prefix = made.length;
        if (prefix < 0) prefix = 0;
        Py_ssize_t n = made.length - prefix, stride = stride_of(&made), all = 0, specials = 0;
        each = PyList_New(0);
        ended = PyList_New(0);
        bool good = each != NULL && ended != NULL;
        for (Py_ssize_t at = 0; good && at < made.count; at++) {
            const char *p = row_at(&made, at) + prefix * stride;
            bool is_ended;
            Py_ssize_t count = count_completion(&made, p, n, ids_in(&ends), ids_in(&pads), &is_ended);
            for (Py_ssize_t i = 0; i < count; i++)
                specials += is_among(ids_in(&special), made.read(p + i * stride));
            all += count;
            good =
                append(each, PyLong_FromSsize_t(count)) == 0 && append(ended, PyBool_FromLong(is_ended)) == 0;
        }
        if (good) result = Py_BuildValue("nnnOO", all, specials, n * made.count - all, each, ended);
        Py_XDECREF(each);
        Py_XDECREF(ended);
        PyBuffer_Release(&made.buffer);
    }
    PyBuffer_Release(&special);
    PyBuffer_Release(&pads);
    PyBuffer_Release(&ends);
    return result;
}
