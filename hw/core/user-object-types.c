/*
 * The types of objects that users make: sources of randomness, and secrets.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <fcntl.h>
#include <unistd.h>
#include "hw/core/net-filter.h"
#include "hw/core/memory-backend.h"
#include "hw/core/user-object.h"

/* ---- rng-builtin: the host's random source, as host_random_bytes() has it ---- */

static const UserObjectType rng_builtin = {
    .name = "rng-builtin", .doc = "random bytes from the host", .size = sizeof(UserObject),
};

/* ---- rng-random: bytes of a file ---- */

typedef struct RngRandom {
    UserObject object;       /* first */
    struct RngRandomConfig {
        char *filename;
    } config;
} RngRandom;

static const Property rng_random_properties[] = {
    PROP_STRING("filename", struct RngRandomConfig, filename, "/dev/urandom",
                "the file that the bytes come from"),
    PROP_END
};

static bool rng_random_complete(UserObject *o, Error **errp)
{
    const char *filename = container_of(o, RngRandom, object)->config.filename;
    int fd = open(filename, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

    if (fd < 0) {
        error_setg_errno(errp, errno, "Could not open '%s'", filename);
        return false;
    }
    close(fd);
    return true;
}

static const UserObjectType rng_random = {
    .name = "rng-random", .doc = "random bytes from a file or device of the host",
    .properties = rng_random_properties, .size = sizeof(RngRandom),
    .config_offset = offsetof(RngRandom, config), .complete = rng_random_complete,
    .unrecordable = "nobody writes down what comes from it",
};

/* ---- secret ---- */

#define MAX_SECRET (1u << 20)

typedef struct Secret {
    UserObject object;       /* first */
    struct SecretConfig {
        char *data, *file;
        unsigned format;
    } config;
} Secret;

enum { SECRET_RAW, SECRET_BASE64 };

static const Property secret_properties[] = {
    PROP_STRING("data", struct SecretConfig, data, NULL, "the secret"),
    PROP_STRING("file", struct SecretConfig, file, NULL, "the file that holds it"),
    PROP_ENUM("format", struct SecretConfig, format, "raw", "how it stands there", "raw", "base64"),
    PROP_REFUSED("keyid", "secrets are not encrypted"),
    PROP_REFUSED("iv", "secrets are not encrypted"),
    PROP_END
};

static bool read_secret(const char *file, char **data, size_t *length, Error **errp)
{
    g_autoptr(GError) error = NULL;

    if (!g_file_get_contents(file, data, length, &error)) {
        error_setg(errp, "Unable to read %s: %s", file, error->message);
        return false;
    }
    if (*length > MAX_SECRET) {
        error_setg(errp, "Unable to read %s: a secret has at most 1 MiB", file);
        return false;
    }
    return true;
}

static bool is_base64(const char *text)
{
    size_t length = strlen(text);

    return length % 4 == 0 && strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                     "0123456789+/=") == length;
}

static bool secret_complete(UserObject *o, Error **errp)
{
    const struct SecretConfig *c = &container_of(o, Secret, object)->config;
    g_autofree char *read = NULL;
    const char *text;
    size_t length;

    if (!c->data == !c->file) {
        error_setg(errp, c->data ? "'file' and 'data' are mutually exclusive"
                                 : "Must provide 'file' or 'data'");
        return false;
    }
    if (c->file && !read_secret(c->file, &read, &length, errp)) {
        return false;
    }
    text = read ? read : c->data;
    if (c->format == SECRET_BASE64 && !is_base64(text)) {
        error_setg(errp, "Base64 data is not valid in secret '%s'", o->id);
        return false;
    }
    /* A raw one is any bytes: keys are. */
    return true;
}

static const UserObjectType secret = {
    .name = "secret", .doc = "a password or key", .properties = secret_properties,
    .size = sizeof(Secret), .config_offset = offsetof(Secret, config), .complete = secret_complete,
};

const UserObjectType *const user_object_types[] = {
    &filter_dump, &filter_replay, &memory_backend_file, &memory_backend_memfd, &memory_backend_ram, &rng_builtin, &rng_random,
    &secret, NULL
};
