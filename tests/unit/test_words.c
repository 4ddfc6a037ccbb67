/* Words: what parts them, what is the same, what is found as a phrase. */
#include "store/words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static bool is_in(const char *phrase, const char *text) {
    rs_arena arena;
    rs_phrase p;
    rs_arena_init(&arena, 0);
    assert_int_equal(rs_phrase_make(rs_str_of(phrase), &arena, &p), RS_OK);
    bool found = rs_phrase_is_in(&p, rs_str_of(text));
    /* What an index of the text has must let it be found. */
    for (uint32_t k = 0; found && k < p.nkeys; k++) {
        rs_words w = rs_words_of(rs_str_of(text), true);
        uint64_t h;
        while ((h = rs_words_next(&w)) != 0 && h != p.keys[k]) continue;
        if (h == 0) fail_msg("'%s' is in '%s', but not its key %u", phrase, text, k);
    }
    if (found && !rs_phrase_may_be_in(&p, rs_str_of(text)))
        fail_msg("'%s' is in '%s', and is said not to be", phrase, text);
    rs_arena_deinit(&arena);
    return found;
}

#define IN(phrase, text)                                                                                     \
    do {                                                                                                     \
        if (!is_in(phrase, text)) fail_msg("'%s' is not in '%s'", phrase, text);                             \
    } while (0)
#define NOT_IN(phrase, text)                                                                                 \
    do {                                                                                                     \
        if (is_in(phrase, text)) fail_msg("'%s' is in '%s'", phrase, text);                                  \
    } while (0)

static void test_ascii(void **state) {
    (void)state;
    IN("refund", "A Refund, please");
    IN("REFUND please", "a refund;please");
    NOT_IN("refun", "refund");
    NOT_IN("fund", "refund");
    NOT_IN("please refund", "refund please");
    IN("gpt-4o", "model gpt 4O!");
    IN("snake_case", "in snake case");
    IN("x", "x");
    NOT_IN("x", "");
    NOT_IN("", "x");
    NOT_IN("...", "x ... y");
    IN("a a b", "a a a b");
    IN("12345678 123456789", "12345678-123456789");
    NOT_IN("12345678", "123456789");
}

static void test_other_alphabets(void **state) {
    (void)state;
    IN("naïve", "NAÏVE answer");
    IN("straße", "die Straße");
    IN("ΑΘΗΝΑ", "αθηνα");
    IN("москва", "в МОСКВА, да");
    IN("Ёлка", "ёлка");
    IN("đà nẵng", "ĐÀ NẴNG");
    IN("is", "what is\xc2\xa0that");
    IN("end", "“end”…");
    NOT_IN("caf", "café");
    IN("αθήνα", "ΑΘΉΝΑ");
    IN("ΆΈΉΊΌΎΏΪΫ", "άέήίόύώϊϋ");
    IN("istanbul", "İstanbul");
    IN("İSTANBUL", "istanbul");
    IN("İstanbul", "i̇stanbul"); /* as Unicode's rules make it small: i and a dot above */
    IN("istanbul", "i̇stanbul");
    IN("ışık", "IŞIK");
    IN("ƯƠNG", "ương");
    IN("Ÿ", "ÿ");
    IN("ẞ", "ß");
    IN("Țara", "țara");
    IN("ҐАНОК", "ґанок");
    IN("ՀԱՅ", "հայ");
    NOT_IN("ά", "α");
    IN("x", "\xff\xfe x \xc3"); /* not UTF-8 */
}

static void test_scripts_without_spaces(void **state) {
    (void)state;
    IN("模型", "大语言模型的");
    IN("模", "大语言模型的");
    IN("语言模型", "大语言模型的");
    NOT_IN("言语", "大语言模型的");
    NOT_IN("型模", "模型");
    IN("GPT模型", "用gpt模型做");
    IN("テスト", "これはテストです");
    IN("สวัสดี", "คำว่าสวัสดีครับ");
    IN("안녕", "안녕하세요");
    IN("🙂", "well🙂done");
    IN("well", "well🙂done");
    IN("模 型", "模型");
    IN("模型", "模 型");
    IN("模型", "模\n型");
    IN("模 型", "模%型");
    IN("完成谢谢", "「完成，谢谢。」");
    IN("完成，谢谢", "完成谢谢");
    IN("完成谢谢", "完成🎉谢谢");
    IN("完成谢谢", "完成🎉🎉，谢谢");
    NOT_IN("完成谢谢", "完成a谢谢");
    NOT_IN("完谢", "完a谢");
    IN("コーヒー", "コー・ヒー");
    IN("模型 a 模", "模型-a-模");
    NOT_IN("模型", "型模");
}

/* Emoji are passed over, unless it is they that are looked for. */
static void test_emoji(void **state) {
    (void)state;
    IN("hello world", "hello 🎉 world");
    IN("hello world", "hello 🎉👍🏽👩‍💻world");
    IN("hello 🎉 world", "hello 🎉 world");
    NOT_IN("hello 🎉 world", "hello world");
    NOT_IN("hello 👍 world", "hello 🎉 world");
    IN("🎉👍", "x 🎉 👍");
    NOT_IN("🎉👍", "🎉x👍");
    IN("❤ you", "I ❤️ you");
    IN("a a 🎉 b", "a a a 🎉 b");
    IN("x", "🎉x");
}

static void test_json(void **state) {
    (void)state;
    IN("line", "{\"a\":\"one\\nline\"}");
    IN("one line", "[\"one\\nline\"]");
    NOT_IN("nline", "[\"one\\nline\"]");
    IN("new", "C:\\new");
    IN("beta", "[\"\\\\beta\"]");
    IN("naïve", "[\"na\\u00efve\"]");
    IN("模型", "[\"\\u6a21\\u578b\"]");
    IN("🙂", "[\"\\ud83d\\ude42\"]");
    IN("x", "[\"\\ud83d x\"]");
    IN("quoted", " {\"a\":\"\\\"quoted\\\"\"}");
    IN("hello", "[\"\\u0068ello\"]");
    IN("hello", "[\"\\u0048\\u0065llo\"]");
    IN("hello", "[\"it is said here that hel\\u006co, and what not\"]");
    IN("a1", "[\"A\\u0031\"]");
    IN("istanbul", "[\"\\u0130stanbul\"]");
    NOT_IN("hello", "[\"\\u0060ello\"]");
    NOT_IN("u12", "[\"\\u12\"]");
    IN("12", "[\"\\u12\"]");
}

static void test_long_words(void **state) {
    (void)state;
    char a[200], b[200];
    memset(a, 'a', 150), memset(b, 'a', 150);
    a[150] = b[150] = 0;
    IN(a, b);
    b[149] = 'b'; /* behind what counts */
    IN(a, b);
    b[10] = 'B';
    NOT_IN(a, b);
}

/* "No" is not said lightly, nor for nothing. */
static void test_what_bytes_may_have(void **state) {
    (void)state;
    static const struct {
        const char *phrase, *bytes;
        bool may;
    } cases[] = {
        {"hello", "some say hELLo", true},
        {"hello", "some say hell", false},
        {"hello", "{\"a\":\"\\u00e9 \\u003c \\u6a21 \\ud83d\\ude42 \\u1e00\"}", false},
        {"hello", "naïve café größer żółć Ελλάδα москва 模型 🎉", false},
        {"hello", "x\\u006", false},
        {"4711", "\x02\x18\xe7\x24", true}, /* a number in a structure */
        {"1e21", "", true},
        {"True", "", true},
        {"d4711", "", false},
        {"order 4711", "the order", true},
        {"order 4711", "what 4711", false},
    };
    for (size_t i = 0; i < RS_ARRAY_LEN(cases); i++) {
        rs_arena arena;
        rs_phrase p;
        rs_arena_init(&arena, 0);
        assert_int_equal(rs_phrase_make(rs_str_of(cases[i].phrase), &arena, &p), RS_OK);
        if (rs_phrase_may_be_in(&p, rs_str_of(cases[i].bytes)) != cases[i].may) fail_msg("case %zu", i);
        rs_arena_deinit(&arena);
    }
}

/* A filter that was made by older rules is asked for what these had alike. */
static void test_keys_of_older_rules(void **state) {
    (void)state;
    static const struct {
        const char *phrase;
        uint32_t keys, before;
    } cases[] = {{"the model", 2, 2}, {"大语言模型", 4, 5}, {"模型 🎉 ok", 3, 4}, {"Ράλλη in Αθήνα", 3, 1},
                 {"ΑΘΗΝΑ", 1, 1},     {"İzmir", 1, 0},      {"naïve", 1, 1},     {"Straße", 1, 0}};
    for (size_t i = 0; i < RS_ARRAY_LEN(cases); i++) {
        rs_arena arena;
        rs_phrase p;
        rs_arena_init(&arena, 0);
        assert_int_equal(rs_phrase_make(rs_str_of(cases[i].phrase), &arena, &p), RS_OK);
        if (p.nkeys != cases[i].keys || p.nkeys_before != cases[i].before)
            fail_msg("'%s': %u keys, %u before", cases[i].phrase, p.nkeys, p.nkeys_before);
        rs_arena_deinit(&arena);
    }
}

/* One in `odd` is no letter or digit of ASCII and may be an escape; of the others one in `ends` parts words. */
static char any_byte(int odd, int ends) {
    if (rand() % odd == 0) return rand() % 3 ? "\\u[\"aZ9é模 d8"[rand() % 14] : (char)rand();
    return rand() % ends ? "aBcdefghZ12"[rand() % 11] : " ."[rand() % 2];
}

/* No byte string makes it read past the end or go on for ever. */
static void test_any_bytes(void **state) {
    (void)state;
    srand(3);
    for (int round = 0; round < 6000; round++) {
        size_t n = (size_t)(rand() % (round % 3 ? 40 : 400));
        int odd = round % 5 ? 8 : 200, ends = round % 7 ? 6 : 200;
        char *text = malloc(n + 1); /* to its very end */
        assert_non_null(text);
        for (size_t i = 0; i < n; i++) text[i] = any_byte(odd, ends);
        char *exact = malloc(n ? n : 1);
        assert_non_null(exact);
        memcpy(exact, text, n);
        rs_words w = rs_words_of((rs_str){exact, n}, round & 1);
        size_t words = 0;
        while (rs_words_next(&w)) assert_true(++words <= 2 * n);
        assert_true(w.at == n);
        uint64_t some[100], one; /* taken some at a time they are the same */
        size_t most = round % 2 ? 7 : 100;
        rs_words a = rs_words_of((rs_str){exact, n}, round & 1), b = a;
        for (size_t got = most; got == most;) {
            got = rs_words_take(&a, some, most);
            for (size_t i = 0; i < got; i++) assert_true(some[i] == rs_words_next(&b));
        }
        one = rs_words_next(&b);
        assert_true(one == 0);
        free(exact);
        free(text);
    }
}

enum { SOME_WORDS = 300 };

static size_t words_of(rs_str text, bool is_json, bool emoji, uint64_t out[SOME_WORDS]) {
    rs_words w = rs_words_of(text, false);
    size_t n = 0;
    if (!is_json) w.is_json = false;
    w.no_emoji = !emoji;
    for (uint64_t h; (h = rs_words_next(&w)) != 0; n++) {
        assert_true(n < SOME_WORDS);
        out[n] = h;
    }
    return n;
}

/* Ways to leave out texts before they are cut up lose none: whatever words are spelt as, and parted by. */
static void test_phrases_in_any_text(void **state) {
    (void)state;
    static const char *const pieces[] = {
        "question", "Question", "about",    "ABOUT",     "the",  "document", "a",       "a",  " ",
        " ",        " ",        ", ",       "\\n",       "\\\"", "\\u0061",  "\\u0020", "\\", "n",
        "é",        "x",        "\xc4\xb0", "i\xcc\x87", "7",    "🎉",        "模",      "-"};
    static const char *const parts[] = {"question", "about", "the", "document", "a", "x", "7", "n", "i", "🎉"};
    size_t found = 0, within = 0;
    srand(9);
    for (int round = 0; round < 60000; round++) {
        char text[400] = "", phrase[80] = "";
        uint64_t words[SOME_WORDS], wanted[SOME_WORDS];
        if (rand() % 3 == 0) strcpy(text, rand() % 2 ? "[\"" : "{\"");
        for (int i = rand() % 16, tidy = rand() % 2; i > 0;
             i--) { /* half of them mostly words and what parts them */
            size_t any = (size_t)rand() % (sizeof pieces / sizeof *pieces), word = (size_t)rand() % 7;
            strcat(text, pieces[tidy && rand() % 12 ? word : any]);
            if (tidy && rand() % 12) strcat(text, pieces[8 + (size_t)rand() % 4]);
        }
        for (int i = 1 + rand() % 3; i > 0; i--) {
            strcat(phrase, parts[(size_t)rand() % (rand() % 4 ? 4 : sizeof parts / sizeof *parts)]);
            strcat(phrase, rand() % 4 ? " " : ",");
        }
        bool emoji = strstr(phrase, "🎉") != NULL, is = false;
        size_t n = words_of(rs_str_of(text), true, emoji, words),
               m = words_of(rs_str_of(phrase), false, true, wanted);
        for (size_t i = 0; m > 0 && i + m <= n && !is; i++)
            is = memcmp(words + i, wanted, m * sizeof *words) == 0;
        if (is_in(phrase, text) != is) fail_msg("'%s' in '%s': %d", phrase, text, is);
        found += is;
        within += is && m > 1;
    }
    if (found < 3000 || within < 300) fail_msg("%zu found, %zu of several words", found, within);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ascii),
        cmocka_unit_test(test_other_alphabets),
        cmocka_unit_test(test_scripts_without_spaces),
        cmocka_unit_test(test_emoji),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_what_bytes_may_have),
        cmocka_unit_test(test_keys_of_older_rules),
        cmocka_unit_test(test_long_words),
        cmocka_unit_test(test_any_bytes),
        cmocka_unit_test(test_phrases_in_any_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
