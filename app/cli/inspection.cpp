#include "app/cli/inspection.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/kernels/kernel_table.h"
#include "core/text/chat_template.h"
#include "core/text/tokenizer.h"

namespace spd::cli {
namespace {

namespace fs = std::filesystem;
using State = TensorReport::State;

/// Runs `read`, which opens a companion file of the weights; a refusal is noted instead of ending the report.
template <typename Function>
void noteRefusal(Inspection& found, Function read) {
    try {
        read();
    } catch (const Error& error) {
        if (error.kind() == ErrorKind::not_found)
            found.oddities.push_back(error.what());
        else
            found.refusals.push_back(error.what());
    }
}

void examineText(Inspection& found) {
    const fs::path& folder = found.location.folder;
    noteRefusal(found, [&] {
        const Tokenizer tokenizer = Tokenizer::open(folder);
        found.tokenizer = tokenizer.description();
        found.tokenizer_size = tokenizer.size();
    });
    noteRefusal(found, [&] {
        if (const std::optional<ChatTemplate> chat = ChatTemplate::open(folder))
            found.template_origin = chat->origin();
        else
            found.oddities.push_back("no chat template: --chat is refused for this model");
    });
    const int64_t rows = found.report.config.vocab_size;
    if (found.tokenizer_size.value_or(0) > rows)
        found.refusals.push_back(fmt::format("tokenizer.json has ids up to {}, the embedding only {} rows",
                                             *found.tokenizer_size - 1, rows));
}

void noteOddities(Inspection& found) {
    const LoadReport& report = found.report;
    if (const int64_t unused = report.count(State::unused); unused > 0) {
        std::vector<std::string> names;
        for (const TensorReport& tensor : report.tensors)
            if (tensor.state == State::unused && names.size() < 3)
                names.push_back(printable(tensor.name, 80));
        found.oddities.push_back(fmt::format("{} stored tensors are not used by {}: {}{}", unused,
                                             report.config.architecture, fmt::join(names, ", "),
                                             unused > 3 ? ", ..." : ""));
    }
    if (report.type_counts.size() > 1)
        found.oddities.push_back("the tensors are stored in more than one type");
    if (report.config.eos_token_ids.empty())
        found.oddities.push_back(
            "no EOS token id: generation ends only at the length limit or a stop string");
}

}  // namespace

Inspection inspectModel(const std::string& model, int64_t context, const CommonOptions& options,
                        const JobContext& job) {
    Inspection found;
    found.location = locateModel(model, options.workspace);
    found.report = inspectCheckpoint(found.location.folder, job);
    const DType fallback = detectIsa() == Isa::avx512_bf16 ? DType::bfloat16 : DType::float32;
    found.forecast_settings.dtype = chosenDType(options, fallback);
    found.forecast_settings.context = std::min(context, found.report.config.max_position_embeddings);
    found.forecast = forecastMemory(found.report.config, found.forecast_settings);
    found.refusals = found.report.problems;
    examineText(found);
    noteOddities(found);
    return found;
}

nlohmann::ordered_json refusedInspectionJson(const std::string& model, const Error& error) {
    const std::vector<std::string> one = {error.what()};
    return {{"model", {{"id", model}}},
            {"loads", false},
            {"refusals", error.details().empty() ? one : error.details()}};
}

}  // namespace spd::cli
