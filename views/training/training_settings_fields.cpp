#include "views/training/training_settings_fields.h"

#include <QCoreApplication>

namespace spd {

namespace {

QString tr(const char* text) {
    return QCoreApplication::translate("spd::Training", text);
}

std::vector<Field> recipeFields() {
    using Kind = Field::Kind;
    const QString paper = tr("paper, A.3");
    return {
        {.key = "epochs",
         .label = tr("epochs"),
         .kind = Kind::integer,
         .default_value = 5,
         .what = tr("How often every sequence of the corpus is trained on."),
         .source = paper,
         .low = 1,
         .high = 1e6},
        {.key = "lr",
         .label = tr("learning rate"),
         .kind = Kind::number,
         .default_value = 1e-5,
         .what = tr("Of the first step; it falls to 0 along a cosine, without warm-up. The default needs the "
                    "paper's "
                    "4,700 steps to show; 2e-4 suits some hundred."),
         .source = paper,
         .low = 0,
         .high = 1},
        {.key = "batch_size",
         .label = tr("batch size"),
         .kind = Kind::integer,
         .default_value = 8,
         .what = tr("Sequences of an optimizer step."),
         .unit = tr("sequences"),
         .source = paper,
         .low = 1,
         .high = 65536},
        {.key = "r",
         .label = tr("LoRA rank r"),
         .kind = Kind::integer,
         .default_value = 8,
         .what = tr("Rank of the adapter on q, k, v and o."),
         .source = paper,
         .low = 1,
         .high = 4096},
        {.key = "alpha",
         .label = tr("LoRA alpha"),
         .kind = Kind::number,
         .default_value = 8.0,
         .what = tr("The adapter is scaled by alpha / r."),
         .source = paper,
         .low = 1e-6,
         .high = 1e6},
        {.key = "dropout",
         .label = tr("dropout"),
         .kind = Kind::number,
         .default_value = 0.05,
         .what = tr("Share of the adapter's inputs that is dropped."),
         .source = paper,
         .low = 0,
         .high = 0.99},
        {.key = "loss",
         .label = tr("loss on"),
         .kind = Kind::choice,
         .default_value = "full",
         .what = tr(
             "Tokens that count: all but the first, prompt included (Eq. 14), or those of the completion."),
         .source = tr("paper, Eq. 14"),
         .choices = {QStringLiteral("full"), QStringLiteral("completion_only")}},
    };
}

std::vector<Field> rareFields() {
    using Kind = Field::Kind;
    return {
        {.key = "weight_decay",
         .label = tr("weight decay"),
         .kind = Kind::number,
         .default_value = 0.01,
         .what = tr("Of AdamW, on the adapter's matrices."),
         .source = tr("paper, A.3"),
         .low = 0,
         .high = 1,
         .advanced = true},
        {.key = "max_grad_norm",
         .label = tr("gradient norm at most"),
         .kind = Kind::number,
         .default_value = 1.0,
         .what = tr("Larger gradients are scaled down to it; the curve shows the norm before."),
         .source = tr("paper, A.3"),
         .low = 0,
         .high = 1e9,
         .advanced = true},
        {.key = "held_out",
         .label = tr("held out"),
         .kind = Kind::text,
         .default_value = "",
         .what = tr(
             "Share of the corpus that is measured after each epoch and not trained on, as 0.1, or a file."),
         .advanced = true},
        {.key = "early_stop",
         .label = tr("stop early after"),
         .kind = Kind::integer,
         .default_value = 0,
         .what = tr("End after this many epochs without a better held-out loss; 0: never."),
         .unit = tr("epochs"),
         .low = 0,
         .high = 1e6,
         .advanced = true},
        {.key = "keep_best",
         .label = tr("keep best"),
         .kind = Kind::flag,
         .default_value = false,
         .what = tr("Write the adapter of the epoch with the best held-out loss, not the last one."),
         .advanced = true},
        {.key = "corpus_filter",
         .label = tr("corpus filter"),
         .kind = Kind::choice,
         .default_value = "none",
         .what =
             tr("Completions that are not trained on: ssd: empty ones and single lines; apple: these and the "
                "shortest tenth; trl, mlx: as these libraries do."),
         .choices = {QStringLiteral("none"), QStringLiteral("ssd"), QStringLiteral("apple"),
                     QStringLiteral("trl"), QStringLiteral("mlx")},
         .advanced = true},
        {.key = "recompute",
         .label = tr("recompute"),
         .kind = Kind::choice,
         .default_value = "auto",
         .what = tr("Compute activations again instead of keeping them: less memory, a third more time, same "
                    "result. "
                    "auto: where the forecast does not fit."),
         .choices = {QStringLiteral("auto"), QStringLiteral("off"), QStringLiteral("full")},
         .advanced = true},
        {.key = "checkpoint_every",
         .label = tr("save every"),
         .kind = Kind::integer,
         .default_value = 50,
         .what = tr("A checkpoint after this many steps; also at the end and when stopped."),
         .unit = tr("steps"),
         .low = 1,
         .high = 1e9,
         .advanced = true},
        {.key = "seed",
         .label = tr("seed"),
         .kind = Kind::integer,
         .default_value = 42,
         .what = tr("Of the order, the dropout and the adapter's first values."),
         .low = 0,
         .high = 9.2e18,
         .advanced = true},
    };
}

}  // namespace

std::vector<Field> trainingFields() {
    std::vector<Field> fields = recipeFields();
    for (Field& field : rareFields())
        fields.push_back(std::move(field));
    return fields;
}

}  // namespace spd
