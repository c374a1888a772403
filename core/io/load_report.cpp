#include "core/io/load_report.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/error.h"
#include "core/io/memory_forecast.h"
#include "core/io/weights/stored_tensors.h"
#include "core/io/weights/tensor_check.h"

namespace spd {
namespace {

TensorReport::State stateOf(TensorCheck::State state) {
    switch (state) {
        case TensorCheck::State::missing:
            return TensorReport::State::missing;
        case TensorCheck::State::wrong_shape:
            return TensorReport::State::wrong_shape;
        case TensorCheck::State::unsupported_type:
            return TensorReport::State::wrong_type;
        case TensorCheck::State::unused:
            return TensorReport::State::unused;
        case TensorCheck::State::found:
            break;
    }
    return TensorReport::State::found;
}

TensorReport reportOf(const TensorCheck& check) {
    TensorReport report{stateOf(check.state), check.name, "", {}, check.expected_shape, ""};
    if (check.stored.entry != nullptr) {
        report.type = name(check.stored.entry->type);
        report.shape = check.stored.entry->shape;
        report.file = std::filesystem::path(check.stored.file->name()).filename();
    }
    return report;
}

bool fits(const std::vector<TensorCheck>& checks, const char* tensor) {
    return std::any_of(checks.begin(), checks.end(), [tensor](const TensorCheck& check) {
        return check.name == tensor && check.state == TensorCheck::State::found;
    });
}

}  // namespace

std::string_view name(TensorReport::State state) {
    switch (state) {
        case TensorReport::State::missing:
            return "missing";
        case TensorReport::State::wrong_shape:
            return "wrong_shape";
        case TensorReport::State::wrong_type:
            return "wrong_type";
        case TensorReport::State::unused:
            return "unused";
        case TensorReport::State::found:
            break;
    }
    return "found";
}

int64_t LoadReport::count(TensorReport::State state) const {
    return std::count_if(tensors.begin(), tensors.end(),
                         [state](const TensorReport& tensor) { return tensor.state == state; });
}

LoadReport inspectCheckpoint(const std::filesystem::path& folder, const JobContext& context) {
    LoadReport report;
    report.config = readModelConfig(folder);
    const StoredTensors stored = StoredTensors::open(folder);
    const std::vector<TensorCheck> checks = checkTensors(report.config, stored);
    for (const TensorCheck& check : checks) {
        report.tensors.push_back(reportOf(check));
        if (check.state == TensorCheck::State::found)
            ++report.type_counts[report.tensors.back().type];
        if (std::string problem = problemOf(check, stored); !problem.empty())
            report.problems.push_back(std::move(problem));
    }
    if (report.config.tie_word_embeddings && fits(checks, head_name) && fits(checks, embedding_name))
        if (std::string problem = tiedHeadProblem(stored, context); !problem.empty())
            report.problems.push_back(std::move(problem));
    report.parameters = parameterCount(report.config);
    report.file_count = static_cast<int64_t>(stored.fileCount());
    for (const StoredTensor& tensor : stored.all())
        report.stored_bytes += static_cast<int64_t>(tensor.entry->bytes());
    return report;
}

}  // namespace spd
