/*
 * Commands of QMP about jobs, and those that begin one.
 *
 * A job's work is done on the main thread, in one piece, some time after its command: between the
 * two, other commands are answered, and a job can be cancelled.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "monitor/qmp.h"

/* What `vmstate` calls the one place where states can be. */
#define VMSTATE "snapshot-file"

typedef struct Job {
    MonitorEnv *env;
    char *id;
    QapiJobType type;
    QapiJobStatus status;
    bool (*run)(struct Job *job, Error **errp);
    char *tag, *vmstate, *device;    /* its arguments; device: the first of them */
    char *error;
    guint source;                    /* 0: it has begun */
} Job;

static void job_free(gpointer opaque)
{
    Job *job = opaque;

    if (job->source) {
        g_source_remove(job->source);
    }
    g_free(job->id);
    g_free(job->tag);
    g_free(job->vmstate);
    g_free(job->device);
    g_free(job->error);
    g_free(job);
}

static GPtrArray *all_jobs(MonitorEnv *env)
{
    if (!env->jobs) {
        env->jobs = g_ptr_array_new_with_free_func(job_free);
    }
    return env->jobs;
}

static Job *find(MonitorEnv *env, const char *id)
{
    GPtrArray *jobs = all_jobs(env);

    for (unsigned i = 0; i < jobs->len; i++) {
        Job *job = g_ptr_array_index(jobs, i);

        if (!strcmp(job->id, id)) {
            return job;
        }
    }
    return NULL;
}

static void set_status(Job *job, QapiJobStatus status)
{
    QapiJobStatusChangeEvent event = { job->id, status };

    job->status = status;
    qapi_event_job_status_change(monitor_events_sink(job->env->events), &event);
}

static void fail(Job *job, const char *why)
{
    set_status(job, QAPI_JOB_STATUS_ABORTING);
    job->error = g_strdup(why);
    set_status(job, QAPI_JOB_STATUS_CONCLUDED);
}

static gboolean job_run(gpointer opaque)
{
    Job *job = opaque;
    Error *err = NULL;

    job->source = 0;
    set_status(job, QAPI_JOB_STATUS_RUNNING);
    if (job->run(job, &err)) {
        set_status(job, QAPI_JOB_STATUS_WAITING);
        set_status(job, QAPI_JOB_STATUS_PENDING);
        set_status(job, QAPI_JOB_STATUS_CONCLUDED);
    } else {
        fail(job, error_get_pretty(err));
        error_free(err);
    }
    return G_SOURCE_REMOVE;
}

/* A letter, then letters, digits and -._ */
static bool is_id(const char *id)
{
    return g_ascii_isalpha(*id) &&
           !id[strspn(id, G_CSET_a_2_z G_CSET_A_2_Z G_CSET_DIGITS "-._")];
}

static bool job_start(MonitorEnv *env, Job job, Error **errp)
{
    Job *copy;

    if (!is_id(job.id)) {
        error_setg(errp, "Invalid job ID '%s'", job.id);
        return false;
    }
    if (find(env, job.id)) {
        error_setg(errp, "Job ID '%s' already in use", job.id);
        return false;
    }
    copy = g_memdup2(&job, sizeof(job));
    copy->env = env;
    copy->id = g_strdup(job.id);
    copy->tag = g_strdup(job.tag);
    copy->vmstate = g_strdup(job.vmstate);
    copy->device = g_strdup(job.device);
    g_ptr_array_add(all_jobs(env), copy);
    set_status(copy, QAPI_JOB_STATUS_CREATED);
    copy->source = g_idle_add(job_run, copy);
    return true;
}

/* ---- snapshots ---- */

static bool check_place(const Job *job, Error **errp)
{
    if (job->device) {
        error_setg(errp, "No block device node '%s': there are no disks", job->device);
        return false;
    }
    if (job->vmstate && strcmp(job->vmstate, VMSTATE) != 0) {
        error_setg(errp, "vmstate block device '%s' does not exist: states are in the snapshot "
                   "file, which vmstate calls '" VMSTATE "'", job->vmstate);
        return false;
    }
    return true;
}

static bool save_run(Job *job, Error **errp)
{
    return check_place(job, errp) && monitor_save_snapshot(job->env, job->tag, errp);
}

static bool load_run(Job *job, Error **errp)
{
    return check_place(job, errp) && monitor_load_snapshot(job->env, job->tag, errp);
}

static bool delete_run(Job *job, Error **errp)
{
    QmpContext ctx = { .env = job->env };

    return check_place(job, errp) &&
           qmp_x_rearm_delvm(&ctx, &(QapiXRearmDelvmArgs){ job->tag }, errp);
}

static char *first(const QapiStrList *list)
{
    return list ? list->value : NULL;
}

bool qmp_snapshot_save(QmpContext *ctx, const QapiSnapshotSaveArgs *args, Error **errp)
{
    return job_start(ctx->env, (Job){ .id = args->job_id, .type = QAPI_JOB_TYPE_SNAPSHOT_SAVE,
                                      .run = save_run, .tag = args->tag, .vmstate = args->vmstate,
                                      .device = first(args->devices) }, errp);
}

bool qmp_snapshot_load(QmpContext *ctx, const QapiSnapshotLoadArgs *args, Error **errp)
{
    return job_start(ctx->env, (Job){ .id = args->job_id, .type = QAPI_JOB_TYPE_SNAPSHOT_LOAD,
                                      .run = load_run, .tag = args->tag, .vmstate = args->vmstate,
                                      .device = first(args->devices) }, errp);
}

bool qmp_snapshot_delete(QmpContext *ctx, const QapiSnapshotDeleteArgs *args, Error **errp)
{
    return job_start(ctx->env, (Job){ .id = args->job_id, .type = QAPI_JOB_TYPE_SNAPSHOT_DELETE,
                                      .run = delete_run, .tag = args->tag,
                                      .device = first(args->devices) }, errp);
}

/* ---- about jobs ---- */

bool qmp_query_jobs(QmpContext *ctx, QapiJobInfoList **ret, Error **errp)
{
    GPtrArray *jobs = all_jobs(ctx->env);

    for (unsigned i = 0; i < jobs->len; i++) {
        const Job *job = g_ptr_array_index(jobs, i);
        QapiJobInfo *info = g_new0(QapiJobInfo, 1);

        *info = (QapiJobInfo){
            .id = g_strdup(job->id), .type = job->type, .status = job->status,
            .current_progress = job->status == QAPI_JOB_STATUS_CONCLUDED, .total_progress = 1,
            .error = g_strdup(job->error),
        };
        QAPI_APPEND(ret, info);
    }
    return true;
}

static Job *find_in(MonitorEnv *env, const char *id, QapiJobStatus status, const char *verb,
                    Error **errp)
{
    Job *job = find(env, id);

    if (!job) {
        error_setg(errp, "Job not found");
        return NULL;
    }
    if (job->status != status) {
        error_setg(errp, "Job '%s' in state '%s' cannot accept command verb '%s'", id,
                   qapi_type_JobStatus.values[job->status], verb);
        return NULL;
    }
    return job;
}

bool qmp_job_dismiss(QmpContext *ctx, const QapiJobDismissArgs *args, Error **errp)
{
    Job *job = find_in(ctx->env, args->id, QAPI_JOB_STATUS_CONCLUDED, "dismiss", errp);

    if (!job) {
        return false;
    }
    set_status(job, QAPI_JOB_STATUS_NULL);
    g_ptr_array_remove(all_jobs(ctx->env), job);
    return true;
}

bool qmp_job_cancel(QmpContext *ctx, const QapiJobCancelArgs *args, Error **errp)
{
    Job *job = find_in(ctx->env, args->id, QAPI_JOB_STATUS_CREATED, "cancel", errp);

    if (!job) {
        return false;
    }
    g_source_remove(job->source);
    job->source = 0;
    fail(job, "Operation canceled");
    return true;
}
