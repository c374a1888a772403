#include "views/corpus/generation_fields.h"

#include <QCoreApplication>

namespace spd {

namespace {

QString tr(const char* text) {
    return QCoreApplication::translate("spd::Generation", text);
}

std::vector<Field> samplingFields(bool is_ssd, const QString& source) {
    using Kind = Field::Kind;
    return {
        {.key = "temperature",
         .label = tr("temperature"),
         .kind = Kind::number,
         .default_value = is_ssd ? 1.6 : 1.0,
         .what = tr("Divides the logits: above 1 flatter, below 1 sharper."),
         .source = source,
         .low = 1e-6,
         .high = 100},
        {.key = "top_k",
         .label = tr("top-k"),
         .kind = Kind::integer,
         .default_value = is_ssd ? 20 : 0,
         .what = tr("Only the k likeliest tokens are drawn from; 0: all."),
         .unit = tr("tokens"),
         .source = source,
         .low = 0,
         .high = 1e9},
        {.key = "top_p",
         .label = tr("top-p"),
         .kind = Kind::number,
         .default_value = is_ssd ? 0.8 : 1.0,
         .what = tr("Only the likeliest tokens up to this sum of probabilities are drawn from."),
         .source = source,
         .low = 1e-9,
         .high = 1},
    };
}

std::vector<Field> rareFields() {
    using Kind = Field::Kind;
    return {
        {.key = "min_p",
         .label = tr("min-p"),
         .kind = Kind::number,
         .default_value = 0.0,
         .what = tr("Tokens below this share of the likeliest one's probability are dropped."),
         .low = 0,
         .high = 1,
         .advanced = true},
        {.key = "repetition_penalty",
         .label = tr("repetition penalty"),
         .kind = Kind::number,
         .default_value = 1.0,
         .what = tr("Above 1, tokens that occurred are made less likely."),
         .low = 1e-6,
         .high = 100,
         .advanced = true},
        {.key = "greedy",
         .label = tr("greedy"),
         .kind = Kind::flag,
         .default_value = false,
         .what = tr("Always the most probable token; the settings above then mean nothing."),
         .advanced = true},
        {.key = "chat",
         .label = tr("chat template"),
         .kind = Kind::flag,
         .default_value = false,
         .what = tr(
             "Prompts are rendered with the model's chat template; else they are completed as they stand."),
         .source = tr("paper: raw prompts"),
         .advanced = true},
        {.key = "batch",
         .label = tr("slots"),
         .kind = Kind::integer,
         .default_value = 8,
         .what = tr("Sequences that decode together; changes the speed, never the text."),
         .low = 1,
         .high = 1024,
         .advanced = true},
        {.key = "seed",
         .label = tr("seed"),
         .kind = Kind::integer,
         .default_value = 42,
         .what = tr("Of the sampling noise; the same seed, id and prompt give the same text."),
         .low = 0,
         .high = 9.2e18,
         .advanced = true},
    };
}

}  // namespace

std::vector<Field> generationFields(const std::string& method) {
    const bool is_ssd = method == "ssd";
    std::vector<Field> fields = {
        {.key = "n_train",
         .label = tr("prompts"),
         .kind = Field::Kind::integer,
         .default_value = 0,
         .what = tr("The first of the task's training prompts, permuted by the seed; 0: as many as the paper "
                    "(math 7,473, code 464, qa 2,000)."),
         .source = tr("paper, Table 7"),
         .low = 0,
         .high = 1e9},
        {.key = "max_new_tokens",
         .label = tr("longest completion"),
         .kind = Field::Kind::integer,
         .default_value = 512,
         .what = tr("A completion that reaches it ends as length."),
         .unit = tr("tokens"),
         .low = 1,
         .high = 1e9},
    };
    for (Field& field : samplingFields(is_ssd, is_ssd ? tr("SSD, arXiv 2604.01193") : tr("paper, 4.1")))
        fields.push_back(std::move(field));
    for (Field& field : rareFields())
        fields.push_back(std::move(field));
    return fields;
}

}  // namespace spd
