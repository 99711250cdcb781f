/* The macros of the header, the functions of the library and Cargo.toml (as -D, from ci/c-tests) say one version. */
#include "check.h"

#define TEXT2(x) #x
#define TEXT(x) TEXT2(x)
#define DOTTED TEXT(IOTEDGE_VERSION_MAJOR) "." TEXT(IOTEDGE_VERSION_MINOR) "." TEXT(IOTEDGE_VERSION_PATCH)

int main(void)
{
    CHECK(strcmp(CARGO_VERSION, IOTEDGE_VERSION_TEXT) == 0);
    CHECK(strcmp(CARGO_VERSION, DOTTED) == 0);
    CHECK(strcmp(CARGO_VERSION, iotedge_version_text()) == 0);
    CHECK(IOTEDGE_VERSION_NUMBER == ((IOTEDGE_VERSION_MAJOR << 16) | (IOTEDGE_VERSION_MINOR << 8) | IOTEDGE_VERSION_PATCH));
    CHECK(iotedge_version() == IOTEDGE_VERSION_NUMBER);
    CHECK(strcmp(iotedge_status_name(IOTEDGE_OK), "IOTEDGE_OK") == 0);
    CHECK(strcmp(iotedge_status_name(IOTEDGE_E_MALFORMED), "IOTEDGE_E_MALFORMED") == 0);
    CHECK(strcmp(iotedge_status_name(IOTEDGE_E_NULL), "IOTEDGE_E_NULL") == 0);
    STATUS(0, IOTEDGE_OK);
    CHECK(strcmp(iotedge_status_name(INT32_MIN), "IOTEDGE_E_UNKNOWN") == 0);
    return check_end("version");
}
