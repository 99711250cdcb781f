#include "line.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

enum { RETRY = 500 };

static const char *tcp_of(const char *port)
{
    return strncmp(port, "tcp:", 4) == 0 ? port + 4 : NULL;
}

/* Raw, 8 bits, no parity, no flow control; an end without modem lines does not hang up. */
static int open_tty(const char *path)
{
    struct termios settings;
    int file = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (file < 0) {
        return -1;
    }
    if (tcgetattr(file, &settings) != 0) {
        close(file);
        return -1;
    }
    cfmakeraw(&settings);
    settings.c_cflag |= CLOCAL | CREAD;
    (void)cfsetspeed(&settings, B115200);
    if (tcsetattr(file, TCSANOW, &settings) != 0) {
        close(file);
        return -1;
    }
    return file;
}

static void down(line_t *line, uint64_t now)
{
    if (line->file >= 0) {
        close(line->file);
    }
    line->file = -1;
    line->connecting = 0;
    line->retry = now + RETRY;
    line->in_at = line->in_len = 0;
    line->out_at = line->out_len = 0;
    (void)iotedge_serial_decoder_reset(line->decoder);
}

static void up(line_t *line, uint64_t now)
{
    const char *tcp = tcp_of(line->port);
    struct sockaddr_in address;
    int yes = 1;
    line->retry = now + RETRY;
    if (tcp == NULL) {
        line->file = open_tty(line->port);
        line->opened += line->file >= 0;
        return;
    }
    if (udp_address(tcp, &address) != 0) {
        return;
    }
    line->file = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (line->file < 0) {
        return;
    }
    (void)setsockopt(line->file, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    line->connecting = 1;
    if (connect(line->file, (const struct sockaddr *)&address, sizeof address) != 0 && errno != EINPROGRESS) {
        down(line, now);
    }
}

/* 1 where the line carries bytes now. */
static int ready(line_t *line, uint64_t now)
{
    if (line->port == NULL) {
        return 0;
    }
    if (line->file < 0 && now >= line->retry) {
        up(line, now);
    }
    if (line->file >= 0 && line->connecting) {
        struct pollfd wait = {line->file, POLLOUT, 0};
        int error = 0;
        socklen_t size = sizeof error;
        if (poll(&wait, 1, 0) == 0) {
            return 0;
        }
        if (getsockopt(line->file, SOL_SOCKET, SO_ERROR, &error, &size) != 0 || error != 0) {
            down(line, now);
            return 0;
        }
        line->connecting = 0;
        line->opened++;
    }
    return line->file >= 0;
}

static int would_block(void)
{
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

static void flush(line_t *line, uint64_t now)
{
    while (line->out_at < line->out_len) {
        ssize_t done = tcp_of(line->port) != NULL
                           ? send(line->file, line->out + line->out_at, line->out_len - line->out_at, MSG_NOSIGNAL)
                           : write(line->file, line->out + line->out_at, line->out_len - line->out_at);
        if (done < 0) {
            if (!would_block()) {
                down(line, now);
            }
            return;
        }
        line->out_at += (size_t)done;
    }
    line->out_at = line->out_len = 0;
}

int line_open(line_t *line, const char *port)
{
    struct sockaddr_in address;
    memset(line, 0, sizeof *line);
    line->file = -1;
    if (tcp_of(port) != NULL && udp_address(tcp_of(port), &address) != 0) {
        errno = EINVAL;
        return -1;
    }
    if (iotedge_serial_decoder_init(line->memory, sizeof line->memory, IOTEDGE_MAX_FRAME, &line->decoder) != IOTEDGE_OK) {
        errno = ENOMEM;
        return -1;
    }
    line->port = port;
    return 0;
}

void line_send(line_t *line, uint64_t now, const uint8_t *frame, size_t len)
{
    size_t n = 0;
    if (!ready(line, now)) {
        line->unsent++; /* The protocol asks again for what was lost. */
        return;
    }
    flush(line, now);
    memmove(line->out, line->out + line->out_at, line->out_len - line->out_at);
    line->out_len -= line->out_at;
    line->out_at = 0;
    if (iotedge_serial_encode(frame, len, line->out + line->out_len, sizeof line->out - line->out_len, &n) != IOTEDGE_OK) {
        line->unsent++;
        return;
    }
    line->out_len += n;
    flush(line, now);
}

int line_receive(line_t *line, uint64_t now, const uint8_t **frame, size_t *len)
{
    while (ready(line, now)) {
        size_t taken = 0;
        ssize_t got;
        if (line->in_at < line->in_len) {
            if (iotedge_serial_decoder_take(line->decoder, line->in + line->in_at, line->in_len - line->in_at, frame, len, &taken) ==
                IOTEDGE_OK) {
                line->in_at += taken;
                return 1;
            }
            line->in_at = line->in_len;
        }
        flush(line, now);
        if (line->file < 0) {
            return 0;
        }
        got = read(line->file, line->in, sizeof line->in);
        if (got < 0 && would_block()) {
            return 0;
        }
        if (got <= 0) {
            down(line, now);
            return 0;
        }
        line->in_at = 0;
        line->in_len = (size_t)got;
    }
    return 0;
}

void line_wait(const line_t *line, const udp_t *udp, uint64_t milliseconds)
{
    short events = (short)(POLLIN | (line->connecting || line->out_at < line->out_len ? POLLOUT : 0));
    struct pollfd wait[2] = {{udp->socket, POLLIN, 0}, {line->port != NULL ? line->file : -1, events, 0}};
    uint64_t most = line->port != NULL && line->file < 0 ? RETRY : 1000;
    (void)poll(wait, 2, (int)(milliseconds > most ? most : milliseconds));
}

void line_close(line_t *line)
{
    if (line->file >= 0) {
        close(line->file);
    }
    if (line->decoder != NULL) {
        (void)iotedge_serial_decoder_deinit(line->decoder);
    }
    line->file = -1;
    line->decoder = NULL;
    line->port = NULL;
}
