/* A port: what stands between the library and your board. The line, radio or socket is the application's. */
#ifndef PORT_H
#define PORT_H

#include <iotedge.h>

/* Fills `platform`, opens the store. Keep `platform` for as long as the node or leaf lives. IOTEDGE_OK, or why not. */
int32_t port_open(iotedge_platform_t *platform);

/* Milliseconds since the start; never goes back. It is the `now` of all calls. */
uint64_t port_millis(void);


#endif
