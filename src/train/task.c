/* task.c - what follows from a task's numbers: rows of lanes, limits of the model, and what loaders have in common. */
#include "train/task.h"

#include "base/integers.h"

int64_t ls_task_lane_rows(const ls_task *task) {
    return (task->batch_size + task->lanes.count - 1) / task->lanes.count;
}

int64_t ls_task_microbatches(const ls_task *task) { return ls_max(task->lanes.count / task->comm->size, 1); }

/* Every lane may have as many rows as the largest one: which do changes in a short batch. */
ls_limits ls_task_limits(const ls_task *task) {
    int64_t most = ls_max(task->lanes.end - task->lanes.first, ls_task_microbatches(task));
    return (ls_limits){.max_rows = most * ls_task_lane_rows(task), .threads = task->threads, .lanes = (int)most};
}

ls_loader_spec ls_task_loader(const ls_task *task, ls_dataset *dataset, ls_use use) {
    bool noisy = use != LS_USE_APPLICATION && task->input_noise;
    return (ls_loader_spec){.dataset = dataset,
                            .input = task->input,
                            .target = task->untargeted ? NULL : task->target,
                            .input_bounds = noisy ? (ls_bounds){0} : task->input_bounds,
                            .target_bounds = {task->loss->target_low, task->loss->target_high},
                            .target_of = task->loss->name,
                            .seed = task->seed,
                            .use = use};
}
