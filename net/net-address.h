/*
 * Where the other end of a network is: options of socket back ends.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef NET_NET_ADDRESS_H
#define NET_NET_ADDRESS_H

#include "util/host-socket.h"
#include "util/keyval.h"

typedef enum NetAddressKind { NET_ADDRESS_NONE, NET_ADDRESS_INET, NET_ADDRESS_UNIX, NET_ADDRESS_FD } NetAddressKind;

typedef struct NetAddress {
    NetAddressKind kind;
    char *host, *port;       /* INET; host "": any, or this machine; port NULL: not given */
    char *path;              /* UNIX */
    int fd;                  /* FD: a descriptor that was inherited */
} NetAddress;

/* what: the option for messages, "-netdev stream"; NONE where PREFIX.type= is not there. */
bool net_address_parse(NetAddress *a, KeyVal *kv, const char *what, const char *prefix, Error **errp);
/* "[HOST]:PORT", the value of `key`. */
bool net_address_parse_inet(NetAddress *a, const char *what, const char *key, const char *text, Error **errp);
/* A number, the value of `key`. */
bool net_address_parse_fd(NetAddress *a, const char *what, const char *key, const char *text, Error **errp);
void net_address_clear(NetAddress *a);

bool net_address_is_group(const NetAddress *a);
/* "127.0.0.1:4444", the path, "fd 5" */
void net_address_describe(const NetAddress *a, GString *out);

/*
 * The descriptor of an FD, which becomes the caller's, closed in children and not blocking. -1: it is none that whoever
 * started the program has left open.
 */
int net_address_take_fd(const NetAddress *a, Error **errp);
/* The same of a socket of the type *type, SOCK_STREAM or SOCK_DGRAM; of either one, which *type becomes, if it is 0. */
int net_address_take_socket(const NetAddress *a, int *type, Error **errp);

#endif
