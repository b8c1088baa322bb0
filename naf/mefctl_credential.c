/*
 * mefctl add credential --file: a credential file (doc/CREDENTIALS.md), plain or sealed, as the
 * members of a row.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "naf/mefctl.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/m2m_credential.h"
#include "common/timestamp.h"

/* All of a file of mode 0600; -1 after a line on standard error. */
static ssize_t read_private(const char *path, uint8_t *out, size_t cap)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    ssize_t n = -1;

    if (fd < 0 || fstat(fd, &st) != 0)
        ctl_say(path, "cannot be opened");
    else if ((st.st_mode & 077) != 0)
        ctl_say(path, "others may read it: mode must be 0600");
    else if ((n = read(fd, out, cap)) <= 0 || (size_t)n == cap) {
        ctl_say(path, "empty, too long, or not to be read");
        n = -1;
    }
    if (fd >= 0)
        close(fd);
    return n;
}

int ctl_seal_read(const char *path, uint8_t key[static CTL_SEAL_LEN])
{
    uint8_t text[2 * CTL_SEAL_LEN + 3];
    ssize_t n = read_private(path, text, sizeof(text));
    int rc = n > 0 ? CTL_DATA : CTL_IO;

    while (n > CTL_SEAL_LEN && (text[n - 1] == '\n' || text[n - 1] == '\r'))
        n--;
    if (n == CTL_SEAL_LEN) {
        memcpy(key, text, CTL_SEAL_LEN);
        rc = CTL_OK;
    } else if (n > 0 &&
               gba_unhex_exact(key, CTL_SEAL_LEN,
                               (struct gba_text){(const char *)text, (size_t)n}) == GBA_OK) {
        rc = CTL_OK;
    }
    if (rc == CTL_DATA)
        ctl_say(path, "not %d octets, raw or in hexadecimal", CTL_SEAL_LEN);
    gba_wipe(text, sizeof(text));
    return rc;
}

static void say_line(const char *file, unsigned line)
{
    char place[4200];

    snprintf(place, sizeof(place), "%s, line %u", file, line);
    ctl_say(place, "not a credential file (doc/CREDENTIALS.md)");
}

static int open_file(const struct ctl_options *o, struct m2m_credential *out)
{
    uint8_t octets[M2M_CREDENTIAL_MAX + 1], seal[CTL_SEAL_LEN];
    unsigned line = 0;
    enum gba_err err = GBA_OK;
    int rc = o->file_seal != NULL ? ctl_seal_read(o->file_seal, seal) : CTL_OK;
    ssize_t n = rc == CTL_OK ? read_private(o->file, octets, sizeof(octets)) : -1;

    if (rc == CTL_OK && n < 0)
        rc = CTL_IO;
    if (rc == CTL_OK)
        err = m2m_credential_open((struct gba_bytes){octets, (size_t)n},
                                  o->file_seal != NULL ? seal : NULL, out, &line);
    if (err == GBA_E_CRYPTO)
        ctl_say(o->file, "sealed, and --file-seal is not its key");
    else if (err != GBA_OK)
        say_line(o->file, line);
    gba_wipe(octets, sizeof(octets));
    gba_wipe(seal, sizeof(seal));
    return err == GBA_OK ? rc : CTL_DATA;
}

/* What is told beside the file stands. */
static void put(json_t *row, const char *member, const char *value)
{
    if (value[0] != '\0' && json_object_get(row, member) == NULL)
        json_object_set_new(row, member, json_string(value));
}

int ctl_credential_read(const struct ctl_options *o, json_t *row)
{
    char hex[2 * M2M_CREDENTIAL_KEY_MAX + 1], expires[GBA_DATETIME_SIZE] = "";
    struct m2m_credential c;
    int rc = open_file(o, &c);

    if (rc != CTL_OK)
        return rc;
    if (c.kind == M2M_CRED_KPSA) {
        ctl_say(o->file, "a Kpsa is its registrar's, not an MEF's or MAF's");
        rc = CTL_DATA;
    } else {
        gba_hex(hex, (struct gba_bytes){c.key, c.key_len});
        if (c.expires_s != 0)
            gba_datetime(c.expires_s, expires);
        put(row, "kind", "psk");
        put(row, "name", c.key_id);
        put(row, "enrolee", c.entity);
        put(row, "expires", expires);
        put(row, "peer", c.peer);
        put(row, "key", hex);
    }
    gba_wipe(hex, sizeof(hex));
    gba_wipe(&c, sizeof(c));
    return rc;
}
