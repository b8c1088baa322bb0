/*
 * Replays a fuzz corpus through its target, so that every finding stays a test of make check.
 * The program fuzz_X reads tests/fuzz/X.in/, each file once, and the empty input.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    uint8_t *data;
    size_t n;

    if (f == NULL)
        return -1;
    data = malloc(1 << 20);
    n = data != NULL ? fread(data, 1, 1 << 20, f) : 0;
    fclose(f);
    if (data == NULL)
        return -1;
    /* An exact copy, so that a read past the end is seen by a sanitizer. */
    uint8_t *exact = malloc(n != 0 ? n : 1);

    if (exact == NULL) {
        free(data);
        return -1;
    }
    memcpy(exact, data, n);
    free(data);
    LLVMFuzzerTestOneInput(exact, n);
    free(exact);
    return 0;
}

int main(int argc, char **argv)
{
    const char *top = getenv("top_srcdir"), *name = strrchr(argv[0], '/');
    char dir[2048], path[4096];
    unsigned passed = 1, failed = 0;
    struct dirent *e;
    DIR *d;

    (void)argc;
    name = name != NULL ? name + 1 : argv[0];
    if (strncmp(name, "lt-", 3) == 0)
        name += 3;
    if (strncmp(name, "fuzz_", 5) == 0)
        name += 5;
    LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
    snprintf(dir, sizeof(dir), "%s/tests/fuzz/%s.in", top != NULL ? top : ".", name);
    d = opendir(dir);
    if (d == NULL) {
        fprintf(stderr, "%s: no such corpus\n", dir);
        return 99;
    }
    while ((e = readdir(d)) != NULL) {
        if (e->d_name[0] == '.')
            continue;
        snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
        if (replay_file(path) == 0) {
            passed++;
        } else {
            failed++;
            printf("cannot read %s\n", path);
        }
    }
    closedir(d);
    printf("%u passed, %u failed, 0 skipped\n", passed, failed);
    return failed != 0;
}
