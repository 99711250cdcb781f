/* What the library asks for, in bytes: lines of a name and a number. Built and run by ci/metal/sizes. */
#include <iotedge.h>
#include <stdio.h>
#include <string.h>

int main(void)
{
    size_t bytes = 0;
    if (iotedge_leaf_size(&bytes) != IOTEDGE_OK) {
        return 1;
    }
    printf("leaf %lu\n", (unsigned long)bytes);
    printf("flash store %lu\n", (unsigned long)IOTEDGE_FLASH_STORE_SIZE);
    if (iotedge_serial_decoder_size(IOTEDGE_MAX_FRAME, &bytes) != IOTEDGE_OK) {
        return 1;
    }
    printf("serial decoder %lu\n", (unsigned long)bytes);
    if (iotedge_content_size(&bytes) != IOTEDGE_OK) {
        return 1;
    }
    printf("content %lu\n", (unsigned long)bytes);
    if (iotedge_update_size(&bytes) != IOTEDGE_OK) {
        return 1;
    }
    printf("update %lu\n", (unsigned long)bytes);
#ifdef NODE
    iotedge_subscriber_config_t subscriber;
    memset(&subscriber, 0, sizeof subscriber);
    subscriber.size = (uint32_t)sizeof subscriber;
    subscriber.channels = 8;
    subscriber.skipped = 2;
    if (iotedge_subscriber_size(&subscriber, &bytes) != IOTEDGE_OK) {
        return 1;
    }
    printf("subscriber of 8 %lu\n", (unsigned long)bytes);
    /* The member of examples-c/firmware: a window of 128, 16 members. */
    iotedge_limits_t limits;
    memset(&limits, 0, sizeof limits);
    limits.size = (uint32_t)sizeof limits;
    limits.window = 128;
    limits.members = 16;
    limits.peers = 4;
    limits.aside = 4;
    limits.outbox = 4;
    limits.own = 8;
    limits.raw = 5600;
    limits.records = 8;
    limits.tracked = 8;
    limits.wants = 8;
    limits.headers = 1;
    limits.buckets = 8;
    limits.queue = 16;
    if (iotedge_node_size(&limits, &bytes) != IOTEDGE_OK) {
        return 1;
    }
    printf("node of 128 %lu\n", (unsigned long)bytes);
#endif
    return 0;
}
