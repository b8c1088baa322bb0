/*
 * Fuzz target: a command as a device reads it from a MEF's answer.  The first octet chooses the
 * form.  Besides not failing: a status is one that a client may report, a command that was read
 * whole prints and reads back the same, and none leads to another host than the MEF's.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/m2m_command.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void there_and_back(const struct m2m_command *c, enum m2m_format format)
{
    static uint8_t room[8 * M2M_CONTENT_MAX];
    static struct m2m_command back;
    static struct m2m_resource r;
    struct m2m_problem problem;
    struct gba_wbuf w;
    unsigned status;

    m2m_resource_init(&r, M2M_MEF_CLIENT_CMD);
    gba_wbuf_init(&w, room, sizeof(room));
    if (m2m_command_put(c, &r) != GBA_OK || m2m_codec_print(&r, format, &w) != GBA_OK)
        abort();
    if (m2m_command_read(gba_wbuf_bytes(&w), format, &back, &status, &problem) != GBA_OK ||
        status != M2M_CMD_S_OK)
        abort();
    if (strcmp(c->id, back.id) != 0 || c->class_id != back.class_id ||
        c->retry_s != back.retry_s || strcmp(c->uri, back.uri) != 0 ||
        strcmp(c->path, back.path) != 0 || c->suid != back.suid)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct m2m_command c;
    struct m2m_problem problem;
    unsigned status;

    if (size == 0 ||
        m2m_command_read((struct gba_bytes){data + 1, size - 1}, (enum m2m_format)(data[0] % 2),
                         &c, &status, &problem) != GBA_OK)
        return 0;
    if (!m2m_cmd_status_is_result_of(status, c.class_id) || c.id[0] == '\0')
        abort();
    if (status != M2M_CMD_S_OK)
        return 0;
    there_and_back(&c, M2M_JSON);
    there_and_back(&c, M2M_XML);
    if (m2m_command_judge(&c, "mef.example") == M2M_CMD_S_OK && c.uri[0] != '\0') {
        const char *host = strstr(c.uri, "://");

        if (host == NULL || strncasecmp(host + 3, "mef.example", 11) != 0 ||
            (host[14] != '\0' && strchr(":/?#", host[14]) == NULL))
            abort();
    }
    return 0;
}
