/* A project outside of the tree: makes a key, signs, verifies. */
#include <iotedge.h>
#include <stdio.h>
#include <string.h>

int main(void)
{
    uint8_t seed[IOTEDGE_SEED_SIZE];
    uint8_t signature[IOTEDGE_SIGNATURE_SIZE];
    const uint8_t message[] = {'i', 'o', 't'};
    iotedge_public_key_t key;
    int32_t status;

    memset(seed, 7, sizeof seed);
    memset(&key, 0, sizeof key);
    key.size = (uint32_t)sizeof key;
    status = iotedge_public_key_from_seed(seed, &key);
    if (status == IOTEDGE_OK) {
        status = iotedge_sign(seed, message, sizeof message, signature);
    }
    if (status == IOTEDGE_OK) {
        status = iotedge_verify(&key, message, sizeof message, signature);
    }
    printf("libiotedge %s: %s\n", iotedge_version_text(), iotedge_status_name(status));
    return status == IOTEDGE_OK ? 0 : 1;
}
