#include "core/evaluate/results.h"

#include <fmt/format.h>

#include <cmath>

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/base/sha256.h"
#include "core/evaluate/final_number.h"

namespace spd {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kFilter = "final_number";
constexpr const char* kInvalid = "[invalid]";  // lm-eval's word for an answer that cannot be read

Json sampleLine(size_t index, const EvalSample& sample) {
    const Json doc = {{"id", toJson(sample.id)}, {"question", sample.prompt}, {"answer", sample.gold}};
    return {{"doc_id", index},
            {"doc", doc},
            {"target", sample.gold},
            {"arguments", Json::array({Json::array({sample.prompt, Json::object()})})},
            {"resps", Json::array({Json::array({sample.completion})})},
            {"filtered_resps", Json::array({sample.extracted})},
            {"filter", kFilter},
            {"metrics", Json::array({"exact_match"})},
            {"doc_hash", sha256Hex(doc.dump())},
            {"prompt_hash", sha256Hex(sample.prompt)},
            {"target_hash", sha256Hex(sample.gold)},
            {"exact_match", sample.is_correct ? 1.0 : 0.0}};
}

/// Sample standard deviation over the root of n, as lm-eval has it.
double standardError(const EvalResult& result) {
    if (result.n < 2)
        return 0;
    const double p = result.exactMatch();
    return std::sqrt(p * (1 - p) / static_cast<double>(result.n - 1));
}

}  // namespace

EvalSample scoreFinalNumber(PromptId id, std::string prompt, std::string gold, std::string completion) {
    const std::optional<double> right = solutionNumber(gold);
    if (!right)
        throw Error(ErrorKind::internal, fmt::format("the gold answer of {} is no number", toText(id)));
    const std::optional<double> answered = solutionNumber(completion);
    EvalSample sample{std::move(id),         std::move(prompt), std::move(gold),
                      std::move(completion), kInvalid,          false};
    if (answered) {
        sample.extracted = fmt::format("{}", *answered);
        sample.is_correct = isSameNumber(*answered, *right);
    }
    return sample;
}

nlohmann::ordered_json toJson(const EvalResult& result) {
    return {{"task", result.task},
            {"n", result.n},
            {"correct", result.correct},
            {"exact_match", result.exactMatch()},
            {"wilson_95", Json::array({result.interval.low, result.interval.high})},
            {"mean_kl_to_base", result.mean_kl_to_base},
            {"kl_tokens", result.kl_tokens},
            {"completion_tokens", result.completion_tokens},
            {"stopped", result.stopped}};
}

EvalResult evalResultFromJson(const nlohmann::ordered_json& json, const std::string& file) {
    try {
        EvalResult result;
        result.task = json.at("task").get<std::string>();
        result.n = json.at("n").get<int64_t>();
        result.correct = json.at("correct").get<int64_t>();
        result.interval = {json.at("wilson_95").at(0).get<double>(),
                           json.at("wilson_95").at(1).get<double>()};
        result.mean_kl_to_base = json.at("mean_kl_to_base").get<double>();
        result.kl_tokens = json.at("kl_tokens").get<int64_t>();
        result.completion_tokens = json.at("completion_tokens").get<int64_t>();
        result.stopped = json.at("stopped").get<int64_t>();
        return result;
    } catch (const Json::exception& error) {
        throw Error::fileFormat(file, "", error.what());
    }
}

void writeEvalFiles(const std::filesystem::path& folder, const EvalResult& result,
                    const std::vector<EvalSample>& samples, const nlohmann::ordered_json& config) {
    std::string lines;
    for (size_t i = 0; i < samples.size(); ++i)
        lines += sampleLine(i, samples[i]).dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
    writeFileAtomically(folder / fmt::format("samples_{}.jsonl", result.task), lines);
    const Json scores = {{"alias", result.task},
                         {fmt::format("exact_match,{}", kFilter), result.exactMatch()},
                         {fmt::format("exact_match_stderr,{}", kFilter), standardError(result)}};
    const Json file = {{"results", {{result.task, scores}}},
                       {"n-samples", {{result.task, {{"effective", result.n}}}}},
                       {"config", config},
                       {"spd", toJson(result)}};
    writeFileAtomically(folder / "results.json",
                        file.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
}

}  // namespace spd
