/* Token ids, read where they lie: a tensor of a batch of long texts has more of them than anybody wants Python ints of. */
#include "measure.h"

typedef long long token;

/* A tensor of two or three dimensions as rows: through the buffer protocol, or out of lists, which of a few ids are quicker to
 * have than a buffer. */
typedef struct rows {
    Py_buffer buffer; /* obj NULL: there is none */
    token *own;       /* of lists: row after row */
    const char *base;
    token (*read)(const char *item);
    Py_ssize_t count, length;     /* rows, items of each */
    Py_ssize_t stride;            /* of items */
    Py_ssize_t inner, strides[2]; /* rows in each of the first dimension; of that, of the second */
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

static bool rows_of_buffer(PyObject *tensor, rows *out) {
    if (PyObject_GetBuffer(tensor, &out->buffer, PyBUF_STRIDES | PyBUF_FORMAT) < 0) return false;
    const Py_buffer *b = &out->buffer;
    out->read = reader_of(b);
    if (out->read == NULL || b->ndim < 2 || b->ndim > 3) {
        PyErr_Format(PyExc_TypeError, "token ids are integers in two or three dimensions, not \"%s\" in %d",
                     b->format == NULL ? "B" : b->format, b->ndim);
        PyBuffer_Release(&out->buffer);
        return false;
    }
    out->base = b->buf;
    out->length = b->shape[b->ndim - 1];
    out->stride = b->strides[b->ndim - 1];
    out->inner = b->ndim == 3 ? b->shape[1] : 1;
    out->count = b->shape[0] * out->inner;
    out->strides[0] = b->strides[0];
    out->strides[1] = b->strides[1];
    return true;
}

static bool is_list_of(PyObject *list, Py_ssize_t length) {
    return PyList_CheckExact(list) && (length < 0 || PyList_GET_SIZE(list) == length);
}

/* The item of a list at a row of it: list[row], or list[row / inner][row % inner]. */
static PyObject *list_at(PyObject *list, Py_ssize_t row, Py_ssize_t inner, bool is_deep) {
    if (!is_deep) return PyList_GET_ITEM(list, row);
    PyObject *of_first = PyList_GET_ITEM(list, row / inner);
    return is_list_of(of_first, inner) ? PyList_GET_ITEM(of_first, row % inner) : NULL;
}

/* [row][token], or [prompt][sequence][token]: all of one length. Nothing here runs Python code that could change them. */
static bool rows_of_lists(PyObject *list, rows *out) {
    Py_ssize_t n = PyList_GET_SIZE(list), inner = 1;
    PyObject *row = n ? PyList_GET_ITEM(list, 0) : NULL;
    bool is_deep = row != NULL && PyList_CheckExact(row) && PyList_GET_SIZE(row) &&
                   PyList_CheckExact(PyList_GET_ITEM(row, 0));
    if (is_deep) {
        inner = PyList_GET_SIZE(row);
        row = PyList_GET_ITEM(row, 0);
    }
    if (row != NULL && !PyList_CheckExact(row)) goto no_ids;
    out->count = n * inner;
    out->length = row == NULL ? 0 : PyList_GET_SIZE(row);
    out->own = PyMem_New(token, (size_t)(out->count * out->length) + 1);
    if (out->own == NULL) return PyErr_NoMemory(), false;
    token *to = out->own;
    for (Py_ssize_t at = 0; at < out->count; at++) {
        row = list_at(list, at, inner, is_deep);
        if (row == NULL || !is_list_of(row, out->length)) goto no_ids;
        for (Py_ssize_t i = 0; i < out->length; i++) {
            PyObject *id = PyList_GET_ITEM(row, i);
            if (!PyLong_Check(id)) goto no_ids;
            *to++ = PyLong_AsLongLong(id);
        }
    }
    if (PyErr_Occurred()) return PyMem_Free(out->own), false; /* one that is too large */
    out->base = (const char *)out->own;
    out->read = read_64;
    out->inner = out->count ? out->count : 1;
    out->stride = sizeof(token);
    out->strides[1] = out->length * (Py_ssize_t)sizeof(token);
    return true;
no_ids:
    PyMem_Free(out->own);
    PyErr_SetString(PyExc_TypeError, "token ids are lists of integers, all of one length");
    return false;
}

static bool rows_of(PyObject *tensor, rows *out) {
    *out = (rows){.own = NULL};
    return PyList_CheckExact(tensor) ? rows_of_lists(tensor, out) : rows_of_buffer(tensor, out);
}

static void release(rows *r) {
    if (r->own != NULL) PyMem_Free(r->own);
    else PyBuffer_Release(&r->buffer);
}

static const char *row_at(const rows *r, Py_ssize_t at) {
    if (r->own != NULL) return r->base + at * r->strides[1];
    return r->base + at / r->inner * r->strides[0] +
           (r->buffer.ndim == 3 ? at % r->inner * r->strides[1] : 0);
}

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
        on_stride = mask->stride;
        masked = mask->length;
        through = 0;
        for (Py_ssize_t i = 0; i < masked; i++) through += mask->read(on + i * on_stride) != 0;
        before = masked > n ? masked - n : 0;
    }
    const char *p = row_at(prompts, at);
    Py_ssize_t stride = prompts->stride;
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
    if (has_mask) release(&mask);
no_mask:
    release(&prompts);
no_prompts:
    PyBuffer_Release(&special);
    return result;
}

/* ---- completions --------------------------------------------------------------------------------------- */

/* Tokens up to and with the first end token, or without the padding behind them; and whether it was ended so. */
static Py_ssize_t count_completion(const rows *made, const char *p, Py_ssize_t n, ids ends, ids pads,
                                   bool *is_ended) {
    Py_ssize_t stride = made->stride, count = n;
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
        Py_ssize_t n = made.length - prefix, stride = made.stride, all = 0, specials = 0;
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
        release(&made);
    }
    PyBuffer_Release(&special);
    PyBuffer_Release(&pads);
    PyBuffer_Release(&ends);
    return result;
}
