/*
 * A whole GBA device in sixty lines: a soft USIM, one bootstrapping run with the BSF, the key
 * of one NAF.  Start from here; <ua/gba_ue.h> is the manual.
 *
 *   cc ue_minimal.c $(pkg-config --cflags --libs libgba-ue) -o ue_minimal
 *   ./ue_minimal usim.txt http://bsf.example.org/ naf.example.org
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdio.h>
#include <stdlib.h>

#include <ua/gba_ue.h>

int main(int argc, char **argv)
{
    static const uint8_t http_digest[GBA_UE_UA_ID_LEN] = {1, 0, 0, 0, 2}; /* TS 33.220 H.3 */
    const size_t size = gba_ue_keyring_size(8, 0);
    void *memory = malloc(size);
    struct gba_ue_device device = {
        .ring = gba_ue_keyring_init(memory, size, 8, 0), /* 8 NAF keys, no credentials */
        .env = &gba_ue_env_system,
    };
    struct gba_ue_naf_key key;
    enum gba_err err;

    if (argc != 4 || device.ring == NULL) {
        fprintf(stderr, "usage: ue_minimal USIM-FILE BSF-URL NAF-FQDN\n");
        return 64;
    }
    device.bsf_url = argv[2];
    err = gba_ue_usim_soft_open(argv[1], &device.usim, device.why); /* or your own card */
    if (err == GBA_OK)
        err = gba_ue_curl_new(&(struct gba_ue_curl_config){.timeout_ms = 10000}, &device.ub);

    /* Bootstraps if there is no session yet, then derives; call it again and it just derives.
     */
    if (err == GBA_OK)
        err = gba_ue_naf_key_get(&device, argv[3], http_digest, false, false, &key);
    if (err == GBA_OK) {
        printf("B-TID %s\n", key.btid);
        printf("valid until %lld (seconds since 1970)\n", (long long)key.expires_s);
        /* key.key: 32 octets, shared with the NAF now.  Use them; do not print them. */
        gba_ue_wipe(&key, sizeof(key));
    } else {
        fprintf(stderr, "ue_minimal: %s (%s)\n", device.why, gba_err_text(err));
    }

    if (device.ub != NULL)
        device.ub->close(device.ub);
    if (device.usim != NULL)
        device.usim->close(device.usim);
    gba_ue_keyring_end(device.ring); /* wipes Ks */
    free(memory);
    return err == GBA_OK ? 0 : 1;
}
