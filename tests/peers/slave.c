/* A prepaid meter built on libmodbus: the peer that we did not write the protocol of.
 *
 *   slave UNIT NUMBER(12 digits) BALANCE_FEN COUNT checked|blind [DEVICE]
 *
 * Prints "ready PORT", then serves Modbus-RTU frames on a TCP socket of 127.0.0.1, one client
 * after the other, until it is killed. Framing, CRC, functions 03 and 10 (hex) are libmodbus's.
 * It knows no private functions, so an order (20 hex: purchase, money control without balance and
 * count, clock) is taken from the socket before
 * libmodbus sees it, and answered through libmodbus with its CRC. On a serial DEVICE, which
 * nobody can look ahead in, it is all libmodbus's, and read only.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <modbus.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    REGISTERS = 0x2100,
    METER_NUMBER = 0x0043,
    RUN_STATE = 0x0022,
    MODEL = 0x0200,
    PT = 0x0213,
    CT = 0x0214,
    ENERGY = 0x0215,
    BALANCE = 0x021F,
    COUNT = 0x0221,
    STATUS = 0x0224,
    CLOCK = 0x0228,
    MONEY = 0x0400,
    FORCE_ON = 0x0057,
    FORCE_OPEN = 0x0058,
    CONTROL = 0x20, /* the function; its registers are a space of their own: */
    PURCHASE_AT = 0x0100,
    MONEY_AT = 0x0200,
    CLOCK_AT = 0x0354,
    FRAME_MAX = 9 + 60,
};

static void put32(uint16_t *at, uint32_t value)
{
    at[0] = value >> 16;
    at[1] = value & 0xFFFF;
}

static uint32_t get32(const uint16_t *at)
{
    return (uint32_t)at[0] << 16 | at[1];
}

static void fill(uint16_t *r, const char *number, uint32_t balance_fen, uint16_t count)
{
    for (int word = 0; word < 3; word++) {
        char digits[5] = {0};
        memcpy(digits, number + 4 * word, 4);
        r[METER_NUMBER + word] = strtoul(digits, NULL, 16);
    }
    r[RUN_STATE] = 0x0041; /* multi-rate, DDSY */
    r[MODEL] = 7;
    r[MODEL + 1] = 2305;
    r[MODEL + 4] = 523;
    r[MODEL + 7] = r[MODEL + 10] = 1180;
    r[PT] = r[CT] = 1;
    put32(r + ENERGY, 123456);
    put32(r + ENERGY + 2, 11111);
    put32(r + ENERGY + 4, 22222);
    put32(r + ENERGY + 6, 50123);
    put32(r + ENERGY + 8, 40000);
    put32(r + BALANCE, balance_fen);
    r[COUNT] = count;
    r[STATUS] = 0x2000;
    r[STATUS + 1] = 0x0009;
    r[CLOCK] = 26 << 8 | 7;
    r[CLOCK + 1] = 15 << 8 | 3;
    r[CLOCK + 2] = 10 << 8 | 15;
    r[CLOCK + 3] = 30 << 8;
    r[MONEY] = 1;
    for (int rate = 0; rate < 4; rate++)
        put32(r + MONEY + 2 + 2 * rate, 12000 - 2000 * rate);
    put32(r + MONEY + 0x0A, 2000);
    put32(r + MONEY + 0x0C, 500);
}

static void mirror_money(uint16_t *r)
{
    r[MONEY + 1] = r[COUNT];
    put32(r + MONEY + 0x14, get32(r + BALANCE));
    put32(r + MONEY + 0x12, get32(r + ENERGY));
}

static uint16_t crc16(const uint8_t *bytes, int length)
{
    uint16_t crc = 0xFFFF;
    for (int i = 0; i < length; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc & 1 ? crc >> 1 ^ 0xA001 : crc >> 1;
    }
    return crc;
}

static uint32_t from4(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | at[1] << 16 | at[2] << 8 | at[3];
}

/* 0: refused. */
static int purchase(uint16_t *r, const uint8_t *data, int checked)
{
    uint16_t count = data[4] << 8 | data[5];
    if (checked && count != (uint16_t)(r[COUNT] + 1))
        return 0;
    put32(r + BALANCE, get32(r + BALANCE) + from4(data));
    r[COUNT] = count;
    mirror_money(r);
    return 1;
}

/* Each item behind its flag; what would change credit or energy is refused. */
static int money_control(uint16_t *r, const uint8_t *data)
{
    if (data[2] || data[7] || data[10] || data[15])
        return 0;
    if (data[0])
        r[MONEY] = data[1];
    if (data[20]) {
        put32(r + MONEY + 0x0A, from4(data + 21));
        put32(r + MONEY + 0x0C, from4(data + 25));
    }
    if (data[29])
        for (int rate = 0; rate < 4; rate++)
            put32(r + MONEY + 2 + 2 * rate, from4(data + 30 + 4 * rate));
    if (data[46])
        put32(r + MONEY + 0x0E, from4(data + 47));
    return 1;
}

/* Second, minute, hour, weekday, day, month, year: shown the other way round. */
static int set_clock(uint16_t *r, const uint8_t *data)
{
    r[CLOCK] = data[6] << 8 | data[5];
    r[CLOCK + 1] = data[4] << 8 | data[3];
    r[CLOCK + 2] = data[2] << 8 | data[1];
    r[CLOCK + 3] = data[0] << 8 | (r[CLOCK + 3] & 0xFF);
    return 1;
}

static int obey(uint16_t *r, int at, const uint8_t *data, int checked)
{
    switch (at) {
    case PURCHASE_AT:
        return purchase(r, data, checked);
    case MONEY_AT:
        return money_control(r, data);
    case CLOCK_AT:
        return set_clock(r, data);
    }
    return 0;
}

/* Take an order that waits on the socket. 1: there was one; 0: something else waits. */
static int take_order(modbus_t *ctx, int client, int unit, uint16_t *r, int checked)
{
    uint8_t frame[FRAME_MAX];
    if (recv(client, frame, 2, MSG_PEEK | MSG_WAITALL) != 2 || frame[1] != CONTROL)
        return 0;
    if (recv(client, frame, 7, MSG_WAITALL) != 7 || 9 + frame[6] > FRAME_MAX)
        return 1;
    int length = 9 + frame[6];
    if (recv(client, frame + 7, length - 7, MSG_WAITALL) != length - 7)
        return 1;
    uint16_t crc = frame[length - 2] | frame[length - 1] << 8;
    if (frame[0] != unit || crc16(frame, length - 2) != crc)
        return 1; /* not for us, or not whole: a meter keeps silent */
    if (obey(r, frame[2] << 8 | frame[3], frame + 7, checked)) {
        modbus_send_raw_request(ctx, frame, 6); /* the echo: unit, function, register, count */
        return 1;
    }
    uint8_t refusal[] = {unit, CONTROL | 0x80, MODBUS_EXCEPTION_ILLEGAL_DATA_VALUE};
    modbus_send_raw_request(ctx, refusal, sizeof refusal);
    return 1;
}

/* The relay, and what the status says of it, follow the force switch. */
static void follow_force(uint16_t *r)
{
    int on = r[FORCE_ON], open = on && r[FORCE_OPEN];
    r[STATUS] = (open ? 0 : 0x2000) | (on ? 0x0008 : 0) | (on && !open ? 0x0001 : 0);
}

static int listen_on_loopback(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, size) || listen(listener, 1) ||
        getsockname(listener, (struct sockaddr *)&address, &size)) {
        perror("slave: listen");
        exit(1);
    }
    printf("ready %d\n", ntohs(address.sin_port));
    fflush(stdout);
    return listener;
}

static void serve_clients(modbus_t *ctx, modbus_mapping_t *map, int unit, int checked)
{
    for (int listener = listen_on_loopback();;) {
        int client = accept(listener, NULL, NULL);
        modbus_set_socket(ctx, client);
        for (;;) {
            uint8_t query[MODBUS_RTU_MAX_ADU_LENGTH], next;
            if (recv(client, &next, 1, MSG_PEEK) != 1)
                break; /* the client has gone */
            if (take_order(ctx, client, unit, map->tab_registers, checked))
                continue;
            int length = modbus_receive(ctx, query);
            if (length > 0)
                modbus_reply(ctx, query, length, map);
            follow_force(map->tab_registers);
        }
        close(client);
    }
}

static int serve_device(modbus_t *ctx, modbus_mapping_t *map)
{
    if (modbus_connect(ctx)) {
        fprintf(stderr, "slave: %s\n", modbus_strerror(errno));
        return 1;
    }
    printf("ready 0\n");
    fflush(stdout);
    for (;;) {
        uint8_t query[MODBUS_RTU_MAX_ADU_LENGTH];
        int length = modbus_receive(ctx, query);
        if (length > 0)
            modbus_reply(ctx, query, length, map);
    }
}

int main(int argc, char **argv)
{
    if (argc < 6 || argc > 7 || strlen(argv[2]) != 12) {
        fprintf(stderr, "usage: slave UNIT NUMBER BALANCE_FEN COUNT checked|blind [DEVICE]\n");
        return 2;
    }
    int unit = atoi(argv[1]), checked = strcmp(argv[5], "checked") == 0;
    modbus_mapping_t *map = modbus_mapping_new(0, 0, REGISTERS, 0);
    /* Without a device the "serial line" is a socket: libmodbus only reads and writes it. */
    modbus_t *ctx = modbus_new_rtu(argc == 7 ? argv[6] : "/dev/null", 9600, 'N', 8, 1);
    if (!map || !ctx || modbus_set_slave(ctx, unit)) {
        fprintf(stderr, "slave: %s\n", modbus_strerror(errno));
        return 1;
    }
    fill(map->tab_registers, argv[2], strtoul(argv[3], NULL, 10), atoi(argv[4]));
    mirror_money(map->tab_registers);
    if (argc == 7)
        return serve_device(ctx, map);
    serve_clients(ctx, map, unit, checked);
}
