/* scores.c - measures the rows of a pass, and adds them up lane by lane. */
#include "train/scores.h"

int ls_scores_count(const ls_task *task) { return LS_SCORE_METRICS + task->metrics; }

void ls_scores_measure(const ls_task *task, const ls_pass *pass, const float *weights, const float *target,
                       double *row_values, double *lane_sums) {
    ls_model *model = task->model;
    int count = ls_scores_count(task);
    double *row_data_loss = row_values + pass->rows->count;
    ls_model_evaluate(model, pass, weights, target, row_values, row_data_loss);
    ls_rows_lane_sums(pass->rows, row_values, count, lane_sums + LS_SCORE_LOSS);
    ls_rows_lane_sums(pass->rows, row_data_loss, count, lane_sums + LS_SCORE_DATA_LOSS);
    if (task->metrics == 0) return;
    ls_shape out = ls_model_output_shape(model);
    const float *y = ls_model_predict(model, pass, ls_model_layers(model) - 1);
    for (int m = 0; m < task->metrics; m++) {
        ls_metric_evaluate(task->metric[m], pass->pool, pass->rows->count, ls_shape_count(&out), y, target, row_values);
        ls_rows_lane_sums(pass->rows, row_values, count, lane_sums + LS_SCORE_METRICS + m);
    }
}
