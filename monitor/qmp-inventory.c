/*
 * Commands of QMP about what the machine and the program have: CPU models, interrupt
 * controllers, options, memory; and about what they do not have.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <json-c/linkhash.h>
#include "hw/core/bus.h"
#include "monitor/properties.h"
#include "monitor/qmp.h"

/* ---- CPU models ---- */

static const DeviceType *cpu_type(QmpContext *ctx, const char *model, Error **errp)
{
    g_autofree char *name = g_strdup_printf("%s-arm-cpu", model);
    const DeviceType *type =
        device_type_find(exec_loop_machine(ctx->env->loop)->device_types, name);

    if (!type) {
        error_setg(errp, "The CPU type '%s' is not a recognized ARM CPU type", model);
    }
    return type;
}

/* A struct for the values, as large as the rows tell. */
static void *new_config(const Property *table)
{
    size_t size = 8;

    for (const Property *p = table; p && p->name; p++) {
        size = MAX(size, p->offset + p->size);
    }
    return g_malloc0(size);
}

static bool set_properties(const DeviceType *type, const QapiCpuModelInfo *model, void *config,
                           Error **errp)
{
    g_autofree char *what = g_strdup_printf("CPU model '%s'", model->name);

    if (model->props && !json_object_is_type(model->props, json_type_object)) {
        error_setg(errp, "Invalid parameter type for 'model.props', expected: object");
        return false;
    }
    if (!model->props) {
        return true;
    }
    json_object_object_foreach(model->props, name, value) {
        g_autofree char *text = qmp_property_text(value);

        if (!text) {
            error_setg(errp, "%s: the value of '%s' is neither a boolean, a number nor a string",
                       what, name);
            return false;
        }
        if (!property_set(type->properties, config, name, text, what, errp)) {
            return false;
        }
    }
    return true;
}

bool qmp_query_cpu_model_expansion(QmpContext *ctx, const QapiQueryCpuModelExpansionArgs *args,
                                   QapiCpuModelExpansionInfo **ret, Error **errp)
{
    const DeviceType *type = cpu_type(ctx, args->model->name, errp);
    g_autofree void *config = NULL;
    QapiCpuModelInfo *model;

    if (!type) {
        return false;
    }
    config = new_config(type->properties);
    properties_init(type->properties, config);
    globals_apply(exec_loop_machine(ctx->env->loop), type, type->properties, config);
    if (!set_properties(type, args->model, config, errp)) {
        properties_clear(type->properties, config);
        return false;
    }
    model = g_new0(QapiCpuModelInfo, 1);
    model->name = g_strdup(args->model->name);
    model->props = json_object_new_object();
    for (const Property *p = type->properties; p && p->name; p++) {
        g_autofree char *text = p->size ? property_format(p, config)
                                        : g_strdup(property_default(p));

        if (qmp_property_shown(p) && text) {
            json_object_object_add(model->props, p->name, qmp_property_json(p, text));
        }
    }
    properties_clear(type->properties, config);
    *ret = g_new0(QapiCpuModelExpansionInfo, 1);
    (*ret)->model = model;
    return true;
}

/* ---- interrupts ---- */

bool qmp_query_gic_capabilities(QmpContext *ctx, QapiGICCapabilityList **ret, Error **errp)
{
    const DeviceType *gic =
        device_type_find(exec_loop_machine(ctx->env->loop)->device_types, "arm_gic");
    const Property *revision = gic ? property_find(gic->properties, "revision") : NULL;
    uint64_t version;

    for (unsigned i = 0; revision && revision->values && revision->values[i]; i++) {
        QapiGICCapability *c = g_new0(QapiGICCapability, 1);

        c->emulated = parse_u64(revision->values[i], &version);
        c->version = (int64_t)version;
        QAPI_APPEND(ret, c);
    }
    return true;
}

bool qmp_inject_nmi(QmpContext *ctx, Error **errp)
{
    error_setg(errp, "this feature or command is not currently supported: the machine's interrupt "
               "controller has no non-maskable interrupt");
    return false;
}

/* ---- the command line ---- */

static bool is_name(char c)
{
    return g_ascii_isalnum(c) || c == '-' || c == '_';
}

static QapiCommandLineParameterType parameter_type(const char *value)
{
    if (g_str_has_prefix(value, "on|off")) {
        return QAPI_COMMAND_LINE_PARAMETER_TYPE_BOOLEAN;
    }
    if (g_str_has_prefix(value, "SIZE") || g_str_has_prefix(value, "MIB")) {
        return QAPI_COMMAND_LINE_PARAMETER_TYPE_SIZE;
    }
    if (value[0] == 'N' && !is_name(value[1])) {
        return QAPI_COMMAND_LINE_PARAMETER_TYPE_NUMBER;
    }
    return QAPI_COMMAND_LINE_PARAMETER_TYPE_STRING;
}

static bool has_parameter(const QapiCommandLineParameterInfoList *list, const char *name)
{
    for (; list; list = list->next) {
        if (!strcmp(list->value->name, name)) {
            return true;
        }
    }
    return false;
}

/*
 * What stands in front of an equals sign in the notation of -help, in small letters: "[cpus=]N" has
 * the parameter cpus, "KEY=VALUE" none.
 */
static void add_parameters(QapiCommandLineParameterInfoList **list, const char *text)
{
    QapiCommandLineParameterInfoList **tail = list;

    while (*tail) {
        tail = &(*tail)->next;
    }
    for (const char *equals = text; (equals = strchr(equals, '=')); equals++) {
        const char *start = equals;
        const char *value = equals + 1 + strspn(equals + 1, "]");
        g_autofree char *name = NULL;

        while (start > text && is_name(start[-1])) {
            start--;
        }
        name = g_strndup(start, (size_t)(equals - start));
        if (g_ascii_islower(*start) && !has_parameter(*list, name)) {
            QapiCommandLineParameterInfo *info = g_new0(QapiCommandLineParameterInfo, 1);

            info->name = g_steal_pointer(&name);
            info->type = parameter_type(value);
            QAPI_APPEND(tail, info);
        }
    }
}

bool qmp_query_command_line_options(QmpContext *ctx, const QapiQueryCommandLineOptionsArgs *args,
                                    QapiCommandLineOptionInfoList **ret, Error **errp)
{
    QapiCommandLineOptionInfoList **first = ret;

    for (const MonitorCommandLine *o = ctx->env->command_line; o && o->name; o++) {
        QapiCommandLineOptionInfo *info;

        if (args->option && strcmp(args->option, o->name)) {
            continue;
        }
        info = g_new0(QapiCommandLineOptionInfo, 1);
        info->option = g_strdup(o->name);
        if (o->argument) {
            add_parameters(&info->parameters, o->argument);
            /* The help tells of the keys that the argument has no room for. */
            if (strstr(o->argument, "KEY=")) {
                add_parameters(&info->parameters, o->help);
            }
        }
        QAPI_APPEND(ret, info);
    }
    if (args->option && !*first) {
        error_setg(errp, "invalid option name: %s", args->option);
        return false;
    }
    return true;
}

/* ---- memory ---- */

typedef struct MemoryCall {
    MemoryMap *memory;
    QapiMemdevList *list, **tail;
    uint64_t size;
} MemoryCall;

static void add_memory(MemRegion *r, void *opaque)
{
    MemoryCall *c = opaque;
    QapiMemdev *m;

    if (!r->host || r->ops || r->readonly) {
        return;
    }
    m = g_new0(QapiMemdev, 1);
    *m = (QapiMemdev){ .id = g_strdup(r->name), .size = r->size, .merge = true, .dump = true };
    c->size += r->size;
    QAPI_APPEND(c->tail, m);
}

static void memory_run(void *opaque)
{
    MemoryCall *c = opaque;

    memory_foreach(c->memory, add_memory, c);
}

static MemoryCall find_memory(QmpContext *ctx)
{
    MemoryCall c = { .memory = exec_loop_machine(ctx->env->loop)->memory };

    c.tail = &c.list;
    machine_run_sync(ctx->env->loop, memory_run, &c);
    return c;
}

bool qmp_query_memdev(QmpContext *ctx, QapiMemdevList **ret, Error **errp)
{
    *ret = find_memory(ctx).list;
    return true;
}

bool qmp_query_memory_size_summary(QmpContext *ctx, QapiMemoryInfo **ret, Error **errp)
{
    MemoryCall c = find_memory(ctx);

    qapi_free_MemdevList(c.list);
    *ret = g_new0(QapiMemoryInfo, 1);
    (*ret)->base_memory = c.size;
    (*ret)->has_plugged_memory = true;
    return true;
}

/* ---- what there is not ---- */

bool qmp_query_current_machine(QmpContext *ctx, QapiCurrentMachineParams **ret, Error **errp)
{
    *ret = g_new0(QapiCurrentMachineParams, 1);
    return true;
}

bool qmp_system_wakeup(QmpContext *ctx, Error **errp)
{
    error_setg(errp, "wake-up from suspend is not supported by this guest");
    return false;
}

bool qmp_query_iothreads(QmpContext *ctx, QapiIOThreadInfoList **ret, Error **errp)
{
    return true;
}

bool qmp_query_tpm_models(QmpContext *ctx, QapiTpmModelList **ret, Error **errp)
{
    return true;
}

bool qmp_query_tpm_types(QmpContext *ctx, QapiTpmTypeList **ret, Error **errp)
{
    return true;
}
