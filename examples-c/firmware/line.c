#include "line.h"

#include "board.h"

#include <string.h>

static uint64_t memory[IOTEDGE_SERIAL_DECODER_SIZE(IOTEDGE_MAX_FRAME) / 8];
static iotedge_serial_decoder_t *decoder;
static uint8_t bytes[32]; /* Read, and not all decoded yet. */
static size_t have, used;
static uint32_t from; /* Whom the next frame is from. */

int line_open(void)
{
    return iotedge_serial_decoder_init(memory, sizeof memory, IOTEDGE_MAX_FRAME, &decoder) == IOTEDGE_OK ? 0 : -1;
}

static void put(const uint8_t *frame, size_t frame_len)
{
    iotedge_serial_encoder_t encoder;
    uint8_t part[32];
    size_t len;
    memset(&encoder, 0, sizeof encoder);
    encoder.size = (uint32_t)sizeof encoder;
    while (iotedge_serial_encode_part(&encoder, frame, frame_len, part, sizeof part, &len) == IOTEDGE_OK) {
        for (size_t done = 0; done < len;) {
            done += board_uart_write(part + done, len - done);
        }
    }
}

void line_send(uint32_t peer, const uint8_t *frame, size_t len)
{
    if (peer != 0) {
        uint8_t whom = (uint8_t)peer;
        put(&whom, 1);
    }
    put(frame, len);
}

int line_receive(uint32_t *peer, const uint8_t **frame, size_t *len)
{
    for (;;) {
        size_t taken = 0;
        if (used == have) {
            used = 0;
            have = board_uart_read(bytes, sizeof bytes);
            if (have == 0) {
                return 0;
            }
        }
        if (iotedge_serial_decoder_take(decoder, bytes + used, have - used, frame, len, &taken) != IOTEDGE_OK) {
            used = have;
            continue;
        }
        used += taken;
        if (*len == 1) {
            from = (*frame)[0];
            continue;
        }
        *peer = from;
        from = 0;
        return 1;
    }
}
