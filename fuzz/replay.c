/* Runs a fuzz target over every file of the folder given, so that each input that ever mattered stays a test. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay(const char *path) {
    FILE *f = fopen(path, "rb");
    if (!f) return perror(path), 1;
    size_t n = 0, cap = 1 << 16, got;
    uint8_t *data = malloc(cap);
    while (data && (got = fread(data + n, 1, cap - n, f)) > 0)
        if ((n += got) == cap) data = realloc(data, cap *= 2);
    fclose(f);
    if (!data) return perror(path), 1;
    uint8_t *exact = malloc(n ? n : 1); /* so that a sanitizer sees a read past the end */
    for (size_t i = 0; exact && i < n; i++) exact[i] = data[i];
    int failed = !exact || LLVMFuzzerTestOneInput(exact, n) != 0;
    free(exact);
    free(data);
    return failed;
}

int main(int argc, char **argv) {
    int files = 0, failed = 0;
    DIR *dir = argc == 2 ? opendir(argv[1]) : NULL;
    if (!dir) return fprintf(stderr, "usage: %s CORPUS_FOLDER\n", argv[0]), 2;
    for (struct dirent *e; (e = readdir(dir));) {
        char path[4096];
        if (e->d_name[0] == '.') continue;
        snprintf(path, sizeof path, "%s/%s", argv[1], e->d_name);
        failed += replay(path);
        files++;
    }
    closedir(dir);
    printf("%d inputs, %d failed\n", files, failed);
    return files == 0 || failed != 0;
}
