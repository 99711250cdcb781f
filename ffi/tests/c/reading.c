/* Readings: there and back, and misused. */
#include "check.h"

static iotedge_reading_t reading(const char *name, const char *unit, int64_t mantissa, int32_t exponent)
{
    iotedge_reading_t r;
    memset(&r, 0, sizeof r);
    r.size = (uint32_t)sizeof r;
    memcpy(r.name, name, strlen(name) + 1);
    memcpy(r.unit, unit, strlen(unit) + 1);
    r.mantissa = mantissa;
    r.exponent = exponent;
    return r;
}

static void there_and_back(void)
{
    uint8_t pack[IOTEDGE_MAX_BODY];
    size_t len = 0;
    iotedge_reading_t back;
    memset(&back, 0, sizeof back);
    back.size = (uint32_t)sizeof back;

    iotedge_reading_t one = reading("temp", "Cel", 215, -1);
    STATUS(IOTEDGE_OK, iotedge_reading_encode(NULL, &one, 1, pack, sizeof pack, &len));
    /* [{0: "temp", 1: "Cel", 2: 4([-1, 215])}] */
    const uint8_t wanted[] = {0x81, 0xa3, 0x00, 0x64, 't', 'e', 'm', 'p', 0x01, 0x63, 'C', 'e', 'l', 0x02, 0xc4, 0x82, 0x20, 0x18, 0xd7};
    CHECK(len == sizeof wanted && memcmp(pack, wanted, len) == 0);
    STATUS(IOTEDGE_OK, iotedge_reading_decode(pack, len, 0, &back));
    CHECK(memcmp(&back, &one, sizeof one) == 0);
    STATUS(IOTEDGE_E_NONE, iotedge_reading_decode(pack, len, 1, &back));

    iotedge_reading_t many[IOTEDGE_MAX_READINGS];
    for (int i = 0; i < 10; i++) {
        char name[3] = {'n', (char)('0' + i), 0};
        many[i] = reading(name, "", i == 0 ? INT64_MIN : i * 1000, i);
        many[i].has_time = 1;
        many[i].time = -i;
    }
    STATUS(IOTEDGE_OK, iotedge_reading_encode("room/", many, 10, pack, sizeof pack, &len));
    for (size_t i = 0; i < 10; i++) {
        STATUS(IOTEDGE_OK, iotedge_reading_decode(pack, len, i, &back));
        CHECK(memcmp(back.name, "room/n", 6) == 0 && back.name[6] == (char)('0' + (int)i) && back.name[7] == 0);
        CHECK(back.has_time == 1 && back.time == -(int64_t)i && back.unit[0] == 0);
    }
    STATUS(IOTEDGE_OK, iotedge_reading_decode(pack, len, 0, &back));
    CHECK(back.mantissa == INT64_MIN && back.exponent == 0);
}

static void misuse(void)
{
    uint8_t pack[IOTEDGE_MAX_BODY];
    size_t len = 99;
    iotedge_reading_t r = reading("temp", "Cel", 215, -1);
    iotedge_reading_t many[IOTEDGE_MAX_READINGS + 1];
    for (size_t i = 0; i <= IOTEDGE_MAX_READINGS; i++) {
        many[i] = r;
    }
    memset(pack, 0xee, sizeof pack);
    STATUS(IOTEDGE_E_NULL, iotedge_reading_encode(NULL, NULL, 1, pack, sizeof pack, &len));
    STATUS(IOTEDGE_E_NULL, iotedge_reading_encode(NULL, &r, 1, NULL, sizeof pack, &len));
    STATUS(IOTEDGE_E_NULL, iotedge_reading_encode(NULL, &r, 1, pack, sizeof pack, NULL));
    STATUS(IOTEDGE_E_LENGTH, iotedge_reading_encode(NULL, &r, 0, pack, sizeof pack, &len));
    STATUS(IOTEDGE_E_LENGTH, iotedge_reading_encode(NULL, many, IOTEDGE_MAX_READINGS + 1, pack, sizeof pack, &len));
    STATUS(IOTEDGE_E_LENGTH, iotedge_reading_encode(NULL, many, SIZE_MAX, pack, sizeof pack, &len));
    STATUS(IOTEDGE_E_BUFFER_TOO_SMALL, iotedge_reading_encode(NULL, &r, 1, pack, 18, &len));
    STATUS(IOTEDGE_E_BUFFER_TOO_SMALL, iotedge_reading_encode(NULL, &r, 1, pack, 0, &len));
    STATUS(IOTEDGE_E_SENML_NAME, iotedge_reading_encode("a", &r, 1, pack, sizeof pack, &len)); /* One reading has no base. */
    STATUS(IOTEDGE_E_SENML_NAME, iotedge_reading_encode("bad base", many, 2, pack, sizeof pack, &len));
    STATUS(IOTEDGE_E_SENML_NAME,
           iotedge_reading_encode("a-base-name-that-is-longer-than-any-may-be", many, 2, pack, sizeof pack, &len));
    many[1].size = 0;
    STATUS(IOTEDGE_E_STRUCT_SIZE, iotedge_reading_encode(NULL, many, 2, pack, sizeof pack, &len));

    iotedge_reading_t bad = r;
    bad.size = 1;
    STATUS(IOTEDGE_E_STRUCT_SIZE, iotedge_reading_encode(NULL, &bad, 1, pack, sizeof pack, &len));
    bad = r;
    bad.exponent = 128;
    STATUS(IOTEDGE_E_RANGE, iotedge_reading_encode(NULL, &bad, 1, pack, sizeof pack, &len));
    bad = r;
    bad.has_time = 2;
    STATUS(IOTEDGE_E_ARGUMENT, iotedge_reading_encode(NULL, &bad, 1, pack, sizeof pack, &len));
    bad = r;
    bad.reserved = 1;
    STATUS(IOTEDGE_E_ARGUMENT, iotedge_reading_encode(NULL, &bad, 1, pack, sizeof pack, &len));
    bad = r;
    memset(bad.name, 'x', sizeof bad.name); /* No zero at the end. */
    STATUS(IOTEDGE_E_SENML_NAME, iotedge_reading_encode(NULL, &bad, 1, pack, sizeof pack, &len));
    bad = r;
    bad.name[0] = 0;
    STATUS(IOTEDGE_E_SENML_NAME, iotedge_reading_encode(NULL, &bad, 1, pack, sizeof pack, &len));
    bad = r;
    bad.name[1] = (char)0xff;
    STATUS(IOTEDGE_E_SENML_NAME, iotedge_reading_encode(NULL, &bad, 1, pack, sizeof pack, &len));
    bad = r;
    memset(bad.unit, 'x', sizeof bad.unit);
    STATUS(IOTEDGE_E_SENML_UNIT, iotedge_reading_encode(NULL, &bad, 1, pack, sizeof pack, &len));
    CHECK(len == 99 && pack[0] == 0xee && pack[17] == 0xee);

    STATUS(IOTEDGE_OK, iotedge_reading_encode(NULL, &r, 1, pack, sizeof pack, &len));
    bad = r;
    STATUS(IOTEDGE_E_NULL, iotedge_reading_decode(NULL, len, 0, &bad));
    STATUS(IOTEDGE_E_NULL, iotedge_reading_decode(pack, len, 0, NULL));
    STATUS(IOTEDGE_E_MALFORMED, iotedge_reading_decode(NULL, 0, 0, &bad));
    STATUS(IOTEDGE_E_NONE, iotedge_reading_decode(pack, len, SIZE_MAX, &bad));
    for (size_t cut = 0; cut < len; cut++) {
        CHECK(iotedge_reading_decode(pack, cut, 0, &bad) != IOTEDGE_OK);
    }
    CHECK(memcmp(&bad, &r, sizeof r) == 0);
    bad.size = 7;
    STATUS(IOTEDGE_E_STRUCT_SIZE, iotedge_reading_decode(pack, len, 0, &bad));
}

int main(void)
{
    there_and_back();
    misuse();
    return check_end("reading");
}
